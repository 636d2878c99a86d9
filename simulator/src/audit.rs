//! The auditor: it sees every operation, batch and epoch, and shares no code with the rules beyond
//! their types, packing and hashes.
//!
//! One check for each [`Invariant`]; [`Auditor::checks`] is the whole list, compared with
//! [`Invariant::ALL`] by a test.

pub mod auction;
pub mod authority;
pub mod batch;
pub mod bid;
pub mod conservation;
pub mod deficit;
pub mod epoch;
mod expectation;
pub mod fees;
pub mod forced;
pub mod margin;
pub mod memory;
pub mod observation;
pub mod parties;
pub mod reduction;
pub mod settlement;
pub mod solvency;
pub mod statement;

use crate::feed::Epoch;
use crate::invariants::{Breach, Invariant};
use memory::Memory;
use observation::{Accounts, Seal, Step};

/// What a check finds: nothing, or what is wrong.
pub type Finding = Result<(), String>;

type StepCheck = fn(&Memory, &Step<'_>) -> Finding;
type SealCheck = fn(&Memory, &Seal<'_>) -> Finding;
type EpochCheck = fn(&Memory, &Epoch) -> Finding;

/// Refuses with a text made of values unless a condition holds.
macro_rules! demand {
    ($condition:expr, $($text:tt)+) => {
        if !$condition {
            return Err(format!($($text)+));
        }
    };
}
pub(crate) use demand;

/// After a refused operation.
pub const REFUSED: &[(Invariant, StepCheck)] = &[
    (Invariant::RefusedChangesNothing, conservation::refused_changes_nothing),
    (Invariant::RefusedAgain, conservation::refused_again),
];

/// After an accepted operation, which the memory has taken.
pub const ACCEPTED: &[(Invariant, StepCheck)] = &[
    (Invariant::CashConserved, conservation::cash_conserved),
    (Invariant::ContractsConserved, conservation::contracts_conserved),
    (Invariant::ValueConserved, conservation::value_conserved),
    (Invariant::OnlyParties, conservation::only_parties),
    (Invariant::DepositExact, conservation::deposit_exact),
    (Invariant::WithdrawalExact, conservation::withdrawal_exact),
    (Invariant::TransferExact, conservation::transfer_exact),
    (Invariant::TradeExact, conservation::trade_exact),
    (Invariant::FeesAsCharged, conservation::fees_as_charged),
    (Invariant::BidExact, conservation::bid_exact),
    (Invariant::EquityOnlyByTerms, conservation::equity_only_by_terms),
    (Invariant::Authorised, authority::authorised),
    (Invariant::NonceOnce, authority::nonce_once),
    (Invariant::NonceMarked, authority::nonce_marked),
    (Invariant::WithinLimits, authority::within_limits),
    (Invariant::WithinExpiry, authority::within_expiry),
    (Invariant::KeysWithinBatch, authority::keys_within_batch),
    (Invariant::FeesWithinSchedule, fees::fees_within_schedule),
    (Invariant::TierByGrant, fees::tier_by_grant),
    (Invariant::CoveredOrNoWorse, solvency::covered_or_no_worse),
    (Invariant::BandShrinks, solvency::band_shrinks),
    (Invariant::LiveOnly, solvency::live_only),
    (Invariant::FundNotNegative, solvency::fund_not_negative),
    (Invariant::SettledAtPayoff, settlement::settled_at_payoff),
    (Invariant::SettledOnce, settlement::settled_once),
    (Invariant::SettlementZeroSum, settlement::settlement_zero_sum),
    (Invariant::FrozenPassive, auction::frozen_passive),
    (Invariant::FrozenOnlySold, auction::frozen_only_sold),
    (Invariant::AuctionStartsBelow, auction::auction_starts_below),
    (Invariant::ChangeWarns, auction::change_warns),
    (Invariant::FundNeverSold, auction::fund_never_sold),
    (Invariant::AuctionFee, auction::auction_fee),
    (Invariant::AuctionEndsCovered, auction::auction_ends_covered),
    (Invariant::AuctionStepOnce, auction::auction_step_once),
    (Invariant::AuctionState, auction::auction_state),
    (Invariant::BidFraction, bid::bid_fraction),
    (Invariant::BidPrice, bid::bid_price),
    (Invariant::BidShare, bid::bid_share),
    (Invariant::ReserveBacked, auction::reserve_backed),
    (Invariant::ForcedExact, forced::forced_exact),
    (Invariant::ForcedAlone, forced::forced_alone),
    (Invariant::ForcedInFull, forced::forced_in_full),
    (Invariant::ReducedAtMark, reduction::reduced_at_mark),
    (Invariant::RefusedIfImpossible, reduction::refused_if_impossible),
    (Invariant::ReducedInAuctionCovers, reduction::reduced_in_auction_covers),
    (Invariant::TakerTakesNoStep, reduction::taker_takes_no_step),
    (Invariant::DepositReturned, forced::deposit_returned),
    (Invariant::PayoutShare, deficit::payout_share),
    (Invariant::DeficitCount, deficit::deficit_count),
    (Invariant::FundGivesFirst, deficit::fund_gives_first),
];

/// After a batch.
pub const SEALED: &[(Invariant, SealCheck)] = &[
    (Invariant::BatchReplays, batch::batch_replays),
    (Invariant::RootsChain, batch::roots_chain),
    (Invariant::RootRecomputed, batch::root_recomputed),
    (Invariant::HoldersCounted, batch::holders_counted),
    (Invariant::CustodyHeld, deficit::custody_held),
    (Invariant::DeficitsSum, deficit::deficits_sum),
    (Invariant::OperationsInTrace, batch::operations_in_trace),
    (Invariant::RowsComplete, batch::rows_complete),
    (Invariant::KeysAtEnd, batch::keys_at_end),
    (Invariant::WindowsAtEnd, batch::windows_at_end),
    (Invariant::BalancesAtEnd, batch::balances_at_end),
    (Invariant::DepositWords, statement::deposit_words),
    (Invariant::WithdrawalWords, statement::withdrawal_words),
    (Invariant::AnswerWords, forced::answer_words),
    (Invariant::LeafReadable, statement::leaf_readable),
    (Invariant::MarginAgrees, solvency::margin_agrees),
    (Invariant::MergeNeverRaises, solvency::merge_never_raises),
    (Invariant::OracleForward, epoch::oracle_forward),
];

/// After an epoch of market data, before the memory takes it.
pub const EPOCHS: &[(Invariant, EpochCheck)] = &[
    (Invariant::SettlementPriceFixed, epoch::settlement_price_fixed),
    (Invariant::SpecFixed, epoch::spec_fixed),
    (Invariant::BandDeclared, epoch::band_declared),
];

/// The auditor with its memory.
#[derive(Clone, Default)]
pub struct Auditor {
    /// What it remembers.
    pub memory: Memory,
    /// Checks made.
    pub checks: u64,
}

impl Auditor {
    /// Every invariant that is checked.
    pub fn checks() -> Vec<Invariant> {
        let steps = REFUSED.iter().chain(ACCEPTED).map(|(invariant, _)| *invariant);
        let batches = SEALED.iter().map(|(invariant, _)| *invariant);
        steps.chain(batches).chain(EPOCHS.iter().map(|(invariant, _)| *invariant)).collect()
    }

    /// Judges an operation.
    pub fn step(&mut self, step: &Step) -> Vec<Breach> {
        if step.verdict.is_err() {
            return self.run(REFUSED, |check, memory| check(memory, step));
        }
        self.memory.take(step);
        self.run(ACCEPTED, |check, memory| check(memory, step))
    }

    /// Judges a batch.
    pub fn seal(&mut self, seal: &Seal) -> Vec<Breach> {
        let breaches = self.run(SEALED, |check, memory| check(memory, seal));
        self.memory.close_batch(seal.after.clock, seal.market.parameters());
        breaches
    }

    /// Judges an epoch of market data over these accounts.
    pub fn epoch(&mut self, epoch: &Epoch, accounts: &Accounts) -> Vec<Breach> {
        self.memory.holders =
            accounts.values().flat_map(|a| a.positions.iter().map(|s| s.0)).collect();
        let breaches = self.run(EPOCHS, |check, memory| check(memory, epoch));
        self.memory.take_epoch(epoch);
        breaches
    }

    fn run<C: Copy>(
        &mut self,
        checks: &[(Invariant, C)],
        judge: impl Fn(C, &Memory) -> Finding,
    ) -> Vec<Breach> {
        self.checks += checks.len() as u64;
        let findings = checks.iter().filter_map(|&(invariant, check)| {
            let found = judge(check, &self.memory).err()?;
            Some(Breach { invariant, found })
        });
        findings.collect()
    }
}
