//! The one list of rules. A variant's doc is the sentence of the specification; its name is used by
//! the native rejection, the constraint label, the tests and the Solidity error.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

/// A rule of the statement. See `docs/spec/README.md`, one heading a rule.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    IntoStaticStr,
    VariantArray,
)]
pub enum Rule {
    /// Every value lies in the range of its unit.
    Range,
    /// An account touched by an operation exists.
    AccountExists,
    /// A deposit that names an existing account carries that account's keys and book; one that does
    /// not goes back.
    DepositKey,
    /// A public key is a point of the prime-order subgroup of Baby Jubjub and not the identity.
    KeyValid,
    /// An operation is signed by the account's key over its whole content and the domain.
    Signature,
    /// A nonce lies in the account's window and was not used before; a cancel-all voids the whole
    /// window.
    Nonce,
    /// Keys change, and orders are cancelled, by a signed request of the account alone, at most
    /// once each in a batch.
    AccountRequests,
    /// An operation is applied no later than its expiry.
    OrderExpiry,
    /// The buyer pays at most, the seller receives at least, the limit price.
    LimitPrice,
    /// The quantity filled lies between the order's minimum and maximum.
    FillQuantity,
    /// The fee charged per contract is at most what the order allows.
    FeeLimit,
    /// The fee charged per contract is at most what the schedule allows the account's tier in its
    /// role, maker or taker.
    FeeSchedule,
    /// A trade has one buying and one selling order, of different accounts.
    OrderSides,
    /// Both orders sign the specification of the instrument traded.
    InstrumentSpec,
    /// An instrument traded or held is in the risk table, has not expired and is not settled; one
    /// settled has expired.
    InstrumentLive,
    /// Positions of a touched account in settled instruments turn to cash at their payoff, whole
    /// and once.
    Settlement,
    /// An index of the risk table stands for the option its holders hold; for another only once
    /// nobody holds it.
    IndexReuse,
    /// An instrument belongs to the account's book.
    Book,
    /// Positions are kept sorted, without duplicates or zeros, in at most 32 slots.
    PositionSlots,
    /// For every account and instrument the change equals the sum of the legs.
    Ledger,
    /// Old and new leaves stand in the old and new account tree; nothing else changed.
    AccountTree,
    /// Losses, mark value and short charges are those of the risk table.
    MarginMatrix,
    /// After the batch each touched account has equity of at least its initial margin, or was short
    /// of it before.
    InitialMargin,
    /// An account that was and stays short of its initial margin is short by no more, and no
    /// position has grown.
    RiskReduction,
    /// Nothing is applied in a batch that an account in auction, or put up for it in the batch, has
    /// signed.
    Frozen,
    /// An auction starts for equity below maintenance margin, and anew when equity has changed its
    /// sign.
    AuctionStart,
    /// An auction ends when equity covers buffered margin.
    AuctionEnd,
    /// A bid is for an account in an auction that fits its equity; one a batch.
    AuctionPhase,
    /// A bid takes the fraction asked for, or what covers buffered margin if that is less; not less
    /// than it accepts.
    BidFraction,
    /// A bid pays the auction's price for its fraction, at most its limit.
    BidPrice,
    /// A bid takes the same fraction of every position and of the cash for sale, rounded against
    /// the bidder.
    BidShare,
    /// What stays negative of an account in auction without equity is counted once the insurance
    /// fund is empty, and as long as it stays so.
    Deficit,
    /// No more leaves for L1 than L1 holds.
    Custody,
    /// A withdrawal pays its share of what L1 holds while a deficit is counted, and not less than
    /// it accepts.
    WithdrawalShare,
    /// A request forced through L1 is of an account that signs nothing in the batch and whose
    /// auction takes no step.
    ForcedRequest,
    /// A forced withdrawal takes what it asks for, or all there is above initial margin.
    ForcedWithdrawal,
    /// A forced cancel-all voids the whole window of nonces, unless there is no other left.
    ForcedCancel,
    /// A forced reduction takes contracts at their mark less a penalty, unless account or
    /// counterparty could not bear it.
    ForcedReduction,
    /// The scenario spread of an account fits the width the margin comparators prove.
    MarginSpread,
    /// The risk table and its time are signed by the oracle quorum.
    OracleQuorum,
    /// The oracle's time is neither older than the staleness limit nor ahead of the batch by more
    /// than the skew.
    OracleAge,
    /// Neither epoch nor time of the oracle goes back from a batch to the next, and an epoch has
    /// one time.
    OracleOrder,
    /// While the oracle says that a forward has left its band, no position of a touched account
    /// grows.
    PriceBand,
    /// An index sample counts once, at its place in the settlement window, for its underlying and
    /// in our unit.
    SettlementSample,
    /// A settlement price is the mean of enough samples without a long gap; what is fixed of it
    /// follows the window.
    SettlementPrice,
    /// A surface leaves no arbitrage beyond the tolerance between strikes or expiries.
    SurfaceArbitrage,
    /// Parameters are in force at the batch's time, and in the first batch under others no auction
    /// starts.
    ParameterChange,
    /// The statement posted is the statement proven.
    Statement,
    /// An encrypted new leaf is the leaf under the account's view key.
    LeafCipher,
    /// A batch holds at most as many rows of each table as its shape.
    Shape,
}

impl Rule {
    /// Every rule, in the order of the enum.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The rule's name, the same word everywhere.
    pub fn name(self) -> &'static str {
        self.into()
    }
}
