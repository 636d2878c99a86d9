//! The invariants of the money, as data: one sentence each, and the row of threats it stands
//! against.
//!
//! The auditor (`audit`) has one check for each, at one of three moments: after every operation,
//! after every batch, after every epoch of market data. A row of threats is a letter and a number:
//! F finance, A authority, S state, R recovery.

use std::fmt;

macro_rules! invariants {
    ($($(#[doc = $line:literal])+ $name:ident = $threat:literal,)*) => {
        /// What holds whatever anybody does.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Invariant {
            $($(#[doc = $line])+ $name,)*
        }

        impl Invariant {
            /// Every invariant.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The invariant in words.
            pub fn sentence(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($line,)+).trim_ascii(),)*
                }
            }

            /// The row of threats it stands against.
            pub fn threat(self) -> &'static str {
                match self {
                    $(Self::$name => $threat,)*
                }
            }
        }
    };
}

invariants! {
    // After every refused operation.
    /// A refused operation leaves every account and the batch as they were.
    RefusedChangesNothing = "F1",
    /// An operation refused once is refused again for the same rule, field and value.
    RefusedAgain = "S6",

    // After every accepted operation: conservation.
    /// All cash is what was deposited, less what was withdrawn, plus what settled options paid.
    CashConserved = "F1",
    /// The contracts of each option held, and those settled, add up to nothing.
    ContractsConserved = "F1",
    /// All equity at the marks is what was deposited less what was withdrawn.
    ValueConserved = "F1",
    /// No account but those the operation names changes.
    OnlyParties = "F1",
    /// A deposit adds its amount to its account and nothing else.
    DepositExact = "F1",
    /// A withdrawal takes its amount from its account; what does not leave is the fund's.
    WithdrawalExact = "F1",
    /// A transfer takes its amount from one account and adds it to another.
    TransferExact = "F1",
    /// A trade moves its quantity from seller to buyer at its price and fees.
    TradeExact = "F1",
    /// The fee account receives exactly the fees of both sides.
    FeesAsCharged = "F1",
    /// A bid moves what its fill says between bidder, account in auction and fund.
    BidExact = "F1",
    /// Equity changes by the terms of an operation alone: never by settlement, keys or the sale of
    /// others.
    EquityOnlyByTerms = "F2",

    // After every accepted operation: authority.
    /// What was accepted was signed, word for word, under the key its account had when the batch
    /// began.
    Authorised = "A1",
    /// No nonce of an account is used twice in its history.
    NonceOnce = "A1",
    /// An operation marks the nonces it was signed with, and no others.
    NonceMarked = "A1",
    /// Nobody pays more, receives less, trades more or less or is charged more than the order
    /// allows.
    WithinLimits = "A1",
    /// Nothing is applied after its expiry.
    WithinExpiry = "A1",
    /// Keys, view keys and books stand still while a batch runs.
    KeysWithinBatch = "A1",
    /// No fee exceeds what the schedule allows the tier an account had when the batch began, in its
    /// role.
    FeesWithinSchedule = "F1",
    /// An account's tier rises by a grant, and changes by nothing else.
    TierByGrant = "F1",

    // After every accepted operation: margin.
    /// A touched account covers initial margin, or was short of it and is no worse, or is frozen.
    CoveredOrNoWorse = "F6",
    /// While a forward is outside of its band, no position of a touched account has grown in the
    /// batch.
    BandShrinks = "F4",
    /// What is traded, and what a touched account is left with, is listed and has not expired.
    LiveOnly = "F5",
    /// The insurance fund never owes.
    FundNotNegative = "F6",

    // After every accepted operation: settlement.
    /// When first touched, an account's settled options turn to cash at their payoff, all of them.
    SettledAtPayoff = "F5",
    /// No option of an account settles twice.
    SettledOnce = "F5",
    /// What an option has paid its holders is what its other holders still owe.
    SettlementZeroSum = "F5",

    // After every accepted operation: auctions.
    /// Nothing is accepted that an account in auction, or put up for it in the batch, has signed.
    FrozenPassive = "F7",
    /// Positions and cash of an account in auction shrink by bids and its owner's force alone, and
    /// no position grows.
    FrozenOnlySold = "F7",
    /// An auction starts for equity below maintenance margin, and anew when equity has changed its
    /// sign.
    AuctionStartsBelow = "F7",
    /// No account is put up in the first batch under other parameters.
    ChangeWarns = "F7",
    /// The insurance fund, which pays for others, is never put up itself.
    FundNeverSold = "F6",
    /// The fee of a start is the fund's share of what would be sold, rounded down, and taken once.
    AuctionFee = "F2",
    /// An auction ends for equity that covers buffered margin.
    AuctionEndsCovered = "F7",
    /// An auction takes one step a batch.
    AuctionStepOnce = "F6",
    /// Auctions begin, change and end by their steps alone.
    AuctionState = "F7",
    /// A bid takes what was asked for and no more than covers buffered margin, unless all may be
    /// taken.
    BidFraction = "F7",
    /// A bid pays the auction's price, rounded up, within its limit.
    BidPrice = "F7",
    /// A bid takes one fraction of every position and of the cash for sale, rounded against the
    /// bidder.
    BidShare = "F2",
    /// The reserve of an auction is at most what bids have paid in it.
    ReserveBacked = "F7",

    // After every accepted operation: what owners force on L1.
    /// A forced withdrawal takes what it asks for, or all there is above initial margin; a
    /// cancel-all takes nothing; a reduction moves contracts unless it is impossible.
    ForcedExact = "R1",
    /// An account whose owner forces a request signs nothing in the batch, and its auction takes no
    /// step.
    ForcedAlone = "R1",
    /// An account that was paid a part has nothing left above initial margin.
    ForcedInFull = "R1",
    /// A reduction moves what was forced, or all that is held, to the account named, at the mark
    /// less the penalty; or nothing.
    ReducedAtMark = "R1",
    /// A reduction that was refused is impossible for the same reason as long as the batch runs,
    /// and nothing else has reduced it.
    RefusedIfImpossible = "R1",
    /// An account in auction whose owner has forced contracts on another covers initial margin.
    ReducedInAuctionCovers = "F7",
    /// The auction of an account that takes contracts forced on it takes no step in the batch.
    TakerTakesNoStep = "F7",
    /// A deposit goes back only if its account has other keys or another book.
    DepositReturned = "R1",

    // After every accepted operation: deficits.
    /// A withdrawal pays its share of what L1 holds, rounded down, and not less than it accepts.
    PayoutShare = "F6",
    /// A deficit is counted in full, less what the fund has given.
    DeficitCount = "F6",
    /// A batch in which a deficit is counted and stands leaves the fund without cash.
    FundGivesFirst = "F6",

    // After every batch.
    /// A batch whose operations were accepted is sealed; replayed from them it has the same root
    /// and trace.
    BatchReplays = "S6",
    /// A batch starts from the root the last one ended with, and has the next number.
    RootsChain = "S6",
    /// The root is that of a tree built anew from all accounts.
    RootRecomputed = "R2",
    /// The open-interest root is that of all options held, each with its specification and the
    /// number of accounts that hold it.
    HoldersCounted = "F5",
    /// What L1 holds is what was deposited less what was paid out.
    CustodyHeld = "F1",
    /// The deficits counted are those of the accounts in auction without equity.
    DeficitsSum = "F6",
    /// The trace holds the accepted operations in order and the steps of auctions asked for, no
    /// more.
    OperationsInTrace = "R1",
    /// The trace has a row for each account touched, with its leaves before and after; no other
    /// changed.
    RowsComplete = "R5",
    /// When a batch ends, keys change as signed requests asked, and no others.
    KeysAtEnd = "A1",
    /// When a batch ends, nonce windows move by half, or to the base asked for, and never back.
    WindowsAtEnd = "A1",
    /// When a batch ends, cash, positions and auctions stay as the last operation left them.
    BalancesAtEnd = "F1",
    /// The statement's words name the accepted deposits in order.
    DepositWords = "R5",
    /// The statement's words pay the accepted withdrawals in order.
    WithdrawalWords = "R5",
    /// The statement's words answer every forced request, and nothing else.
    AnswerWords = "R1",
    /// Owners read their leaves from the statement's words with their view keys.
    LeafReadable = "R2",
    /// The margins of each row of a trace, before and after, are those computed by other code.
    MarginAgrees = "F3",
    /// Merging two accounts of one book and method never raises their requirement.
    MergeNeverRaises = "F3",
    /// Neither epoch nor time of the oracle goes back, and its data are fresh.
    OracleForward = "F4",

    // After every epoch of market data.
    /// The settlement price of an expiry is the mean of its samples and never changes.
    SettlementPriceFixed = "F5",
    /// An index stands for one option while anybody holds it.
    SpecFixed = "F5",
    /// The oracle says that a forward has left its band when it has, and then only.
    BandDeclared = "F4",
}

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Which.
    pub invariant: Invariant,
    /// What was found.
    pub found: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { invariant, found } = self;
        write!(f, "{invariant:?} ({}): {} Found: {found}", invariant.threat(), invariant.sentence())
    }
}
