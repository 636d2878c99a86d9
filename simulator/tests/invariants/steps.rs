//! Operations with one thing changed.

use ark_bn254::Fr;
use zkmargin_protocol::account::auction::Auction;
use zkmargin_protocol::account::{Account, INSURANCE_FUND, fee_account};
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::bid::{AuctionStep, Fill};
use zkmargin_protocol::operation::forced::reduction::Reduction;
use zkmargin_protocol::operation::forced::{ForcedAction, ForcedRequest};
use zkmargin_protocol::operation::trade::Trade;
use zkmargin_protocol::value::custody::Custody;
use zkmargin_protocol::value::units::{
    AccountIndex, Cash, InstrumentIndex, Price, Quantity, Tier, Time,
};
use zkmargin_simulator::audit::memory::Paid;
use zkmargin_simulator::audit::parties::{parties, signers};
use zkmargin_simulator::audit::reduction::Outcome;
use zkmargin_simulator::invariants::Invariant::{self, *};

use super::gallery::ShownStep;

/// Changes what was shown.
pub type Forge = fn(&mut ShownStep);

/// Invariant, sort of operation, change.
pub fn cases() -> Vec<(Invariant, &'static str, Forge)> {
    let conservation: [(Invariant, &'static str, Forge); 20] = [
        (RefusedChangesNothing, "refused", |s| pay(s, INSURANCE_FUND, 1)),
        (RefusedAgain, "refused", |s| s.again = Ok(())),
        (CashConserved, "transfer", |s| pay(s, party(s, 0), 1)),
        (ContractsConserved, "trade", |s| hold(s, party(s, 0), 1)),
        (ValueConserved, "trade", |s| pay(s, party(s, 1), -1)),
        (OnlyParties, "deposit", |s| pay(s, bystander(s), 1)),
        (DepositExact, "deposit", |s| pay(s, party(s, 0), -1)),
        (WithdrawalExact, "withdrawal", |s| pay(s, party(s, 0), 1)),
        (TransferExact, "transfer", |s| pay(s, party(s, 1), -1)),
        (TradeExact, "trade", |s| shift(s, party(s, 0), party(s, 1))),
        (FeesAsCharged, "trade", |s| shift(s, party(s, 1), fee_account())),
        (BidExact, "bid", |s| shift(s, party(s, 0), party(s, 1))),
        (PayoutShare, "withdrawal", |s| {
            s.custody = Custody::new(s.custody.held(), i64::MAX.into()).expect("63 bits");
        }),
        (DeficitCount, "count of a deficit", |s| match &mut s.auction {
            Some(AuctionStep::Count { cover }) => *cover += 1,
            other => panic!("{other:?} is no count"),
        }),
        (FundGivesFirst, "count of a deficit", |s| {
            let index = party(s, 0);
            account(s, index).auction = Some(Auction { is_insolvent: true, ..auction(1) });
            account(s, INSURANCE_FUND).cash = cash(1);
        }),
        (ForcedExact, "forced withdrawal", |s| pay(s, party(s, 0), 1)),
        (ForcedAlone, "forced cancel-all", |s| {
            account(s, party(s, 0)).nonces.bits ^= 1;
        }),
        (ForcedInFull, "forced withdrawal", |s| {
            let index = party(s, 0);
            s.operation = Operation::Forced(ForcedRequest {
                account: index,
                action: ForcedAction::Withdrawal { amount: Cash::MAX },
            });
            account(s, index).cash = cash(1 << 60);
        }),
        (DepositReturned, "deposit given back", |s| {
            let index = party(s, 0);
            let account = s.opening[&index].clone();
            if let Operation::RefuseDeposit(deposit) = &mut s.operation {
                deposit.key = account.key;
            }
        }),
        (EquityOnlyByTerms, "transfer", |s| shift(s, party(s, 0), party(s, 1))),
    ];
    let others = authority().into_iter().chain(settlement()).chain(auctions()).chain(reductions());
    conservation.into_iter().chain(others).collect()
}

fn authority() -> [(Invariant, &'static str, Forge); 12] {
    [
        (Authorised, "withdrawal", |s| s.memory.signed.clear()),
        (NonceOnce, "trade", |s| _ = s.memory.nonces.insert(signers(&s.operation)[1], 1)),
        (NonceMarked, "transfer", |s| {
            let window = s.before[&party(s, 0)].nonces;
            account(s, party(s, 0)).nonces = window;
        }),
        (WithinLimits, "trade", |s| trade(s).buy.order.quantity_max = Default::default()),
        (WithinExpiry, "trade", |s| {
            let earlier = Time::new(s.time.get() - 1).expect("not the first");
            trade(s).sell.order.expiry = earlier;
        }),
        (KeysWithinBatch, "rekey", |s| account(s, party(s, 0)).view_key += Fr::from(1u64)),
        (FeesWithinSchedule, "trade", |s| trade(s).seller_fee = Price::MAX),
        (TierByGrant, "grant of a tier", |s| {
            let index = party(s, 0);
            account(s, index).tier = Tier::MIN;
        }),
        (CoveredOrNoWorse, "trade", |s| pay(s, party(s, 0), -1_000_000_000_000_000)),
        (BandShrinks, "outside of the band", |s| {
            let index = party(s, 0);
            let (instrument, held) = s.after[&index].positions.iter().next().expect("holds some");
            let more = Quantity::new(held.get().signum()).expect("one");
            let underlying = instrument.underlying();
            account(s, index).positions.add(underlying, instrument, more).expect("room");
        }),
        (LiveOnly, "deposit", |s| {
            let index = party(s, 0);
            let underlying = s.after[&index].book.underlying;
            let instrument = InstrumentIndex::of(underlying, 4_000).expect("a slot");
            let one = Quantity::new(1).expect("one");
            account(s, index).positions.add(underlying, instrument, one).expect("room");
        }),
        (FundNotNegative, "transfer", |s| pay(s, INSURANCE_FUND, -1_000_000_000_000_000_000)),
    ]
}

fn settlement() -> [(Invariant, &'static str, Forge); 3] {
    [
        (SettledAtPayoff, "settled", |s| {
            s.settled.values_mut().for_each(|settlement| settlement.cash += 1);
        }),
        (SettledOnce, "settled", |s| {
            for (&index, settlement) in &s.settled {
                for instrument in &settlement.instruments {
                    let spec = s.memory.specs[instrument];
                    s.memory.settlements.insert((index, spec), 1);
                }
            }
        }),
        (SettlementZeroSum, "settled", |s| {
            let settlement = s.settled.values().next().expect("one account");
            let spec = s.memory.specs[settlement.instruments.first().expect("one option")];
            let paid = s.memory.paid.entry(spec).or_insert_with(Paid::default);
            paid.cash += 1;
        }),
    ]
}

fn auctions() -> [(Invariant, &'static str, Forge); 13] {
    [
        (FrozenPassive, "withdrawal", |s| {
            let index = party(s, 0);
            s.opening.get_mut(&index).expect("known").auction = Some(auction(0));
        }),
        (FrozenOnlySold, "frozen bystander", |s| {
            let parties = parties(&s.operation);
            let is_meant = |(index, account): &(&AccountIndex, &Account)| {
                account.auction.is_some()
                    && account.positions.count() > 0
                    && !parties.contains(index)
            };
            let index = *s.opening.iter().find(is_meant).expect("frozen").0;
            account(s, index).positions = Default::default();
        }),
        (AuctionStartsBelow, "start of an auction", |s| {
            find(s, 1 << 60);
        }),
        (ChangeWarns, "start of an auction", |s| s.memory.parameters = None),
        (FundNeverSold, "deposit", |s| {
            account(s, INSURANCE_FUND).auction = Some(auction(0));
        }),
        (AuctionFee, "start of an auction", |s| pay(s, INSURANCE_FUND, 1)),
        (AuctionEndsCovered, "end of an auction", |s| {
            find(s, -(1 << 60));
        }),
        (AuctionStepOnce, "bid", |s| _ = s.memory.steps.insert(party(s, 1), 1)),
        (AuctionState, "withdrawal", |s| account(s, party(s, 0)).auction = Some(auction(0))),
        (BidFraction, "bid", |s| fill(s).fraction_ppm += 1),
        (BidPrice, "bid", |s| fill(s).price -= 1),
        (BidShare, "bid", |s| fill(s).cash += 1),
        (ReserveBacked, "bid", |s| account(s, party(s, 1)).auction = Some(auction(1 << 60))),
    ]
}

fn reductions() -> [(Invariant, &'static str, Forge); 8] {
    [
        (ForcedExact, "forced reduction", |s| {
            s.after.clone_from(&s.before);
        }),
        (ReducedAtMark, "forced reduction", |s| shift(s, party(s, 1), party(s, 0))),
        (ReducedAtMark, "forced reduction", |s| {
            let other = bystander(s);
            terms(s).counterparty = other;
        }),
        (RefusedIfImpossible, "refused reduction", |s| {
            let rich = [0, 1].map(|place| party(s, place));
            rich.into_iter().for_each(|index| account(s, index).cash = cash(1 << 60));
        }),
        (RefusedIfImpossible, "refused reduction", |s| {
            let index = party(s, 0);
            account(s, index).positions = Default::default();
        }),
        (ReducedInAuctionCovers, "forced reduction", |s| {
            let index = party(s, 0);
            s.opening.get_mut(&index).expect("known").auction = Some(auction(0));
            find(s, 1 << 60);
            account(s, index).cash = cash(-(1 << 60));
        }),
        (FrozenOnlySold, "refused reduction", |s| {
            let index = party(s, 0);
            s.opening.get_mut(&index).expect("known").auction = Some(auction(0));
            account(s, index).positions = Default::default();
        }),
        (TakerTakesNoStep, "start of an auction", |s| {
            let (instrument, quantity) = Default::default();
            let terms = Reduction { instrument, quantity, counterparty: party(s, 0) };
            let taken = Outcome { terms, contracts: 1, proceeds: 0, refusal: None };
            s.memory.reductions.insert(INSURANCE_FUND, taken);
        }),
    ]
}

/// The batch found this cash with the account concerned, whether this operation touches it first or
/// not.
fn find(shown: &mut ShownStep, cash_e6: i64) {
    let index = party(shown, 0);
    shown.before.get_mut(&index).expect("known").cash = cash(cash_e6);
    if let Some(opened) = shown.memory.opened.get_mut(&index) {
        opened.cash = cash_e6.into();
    }
}

fn party(shown: &ShownStep, place: usize) -> AccountIndex {
    parties(&shown.operation)[place]
}

fn bystander(shown: &ShownStep) -> AccountIndex {
    let parties = parties(&shown.operation);
    *shown.after.keys().find(|index| !parties.contains(index)).expect("many accounts")
}

fn account(shown: &mut ShownStep, index: AccountIndex) -> &mut Account {
    shown.after.get_mut(&index).expect("an account")
}

fn cash(cash_e6: i64) -> Cash {
    Cash::new(cash_e6).expect("64 bits")
}

fn auction(reserve: i64) -> Auction {
    let start = Time::new(1).expect("a time");
    Auction { start, is_insolvent: false, reserve: cash(reserve) }
}

fn pay(shown: &mut ShownStep, index: AccountIndex, change: i64) {
    let account = account(shown, index);
    account.cash = cash(account.cash.get() + change);
}

/// One micro-USDC from the first to the second.
fn shift(shown: &mut ShownStep, from: AccountIndex, to: AccountIndex) {
    assert_ne!(from, to);
    pay(shown, from, -1);
    pay(shown, to, 1);
}

fn hold(shown: &mut ShownStep, index: AccountIndex, change: i64) {
    let instrument = trade(shown).buy.order.instrument;
    let change = Quantity::new(change).expect("small");
    let underlying = instrument.underlying();
    account(shown, index).positions.add(underlying, instrument, change).expect("room");
}

fn trade(shown: &mut ShownStep) -> &mut Trade {
    match &mut shown.operation {
        Operation::Trade(trade) => trade,
        other => panic!("{other:?} is no trade"),
    }
}

fn terms(shown: &mut ShownStep) -> &mut Reduction {
    match &mut shown.operation {
        Operation::Forced(ForcedRequest { action: ForcedAction::Reduction(terms), .. }) => terms,
        other => panic!("{other:?} is no reduction"),
    }
}

fn fill(shown: &mut ShownStep) -> &mut Fill {
    match &mut shown.auction {
        Some(AuctionStep::Bid(fill)) => fill,
        other => panic!("{other:?} is no bid"),
    }
}
