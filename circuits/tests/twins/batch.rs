//! Whole batches: every constraint of the circuit's matrices, on random batches and on random
//! batches with one thing changed.

mod statement;

use std::collections::BTreeMap;

use ark_bn254::Fr;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;
use zkmargin_circuits::Cs;
use zkmargin_circuits::batch::{BatchPublic, synthesize};
use zkmargin_circuits::cs::{Mode, R1cs};
use zkmargin_fixtures::build::{RandomBatch, domain, random_case, settle, tiny_batch};
use zkmargin_fixtures::keys::trader_key;
use zkmargin_protocol::account::INSURANCE_FUND;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::batch::trace::BatchTrace;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::operation::bid::AuctionStep;
use zkmargin_protocol::operation::forced::{ForcedAction, ForcedAnswer, ForcedRequest};
use zkmargin_protocol::operation::grant_tier::GrantTier;
use zkmargin_protocol::operation::order::Side;
use zkmargin_protocol::operation::trade::Trade;
use zkmargin_protocol::value::units::{
    AccountIndex, Cash, Nonce, OrderQuantity, Price, Tier, Time,
};

use super::draw::{Verdict, circuit, regardless, times};

fn build(mode: Mode, trace: &BatchTrace) -> Cs {
    let mut cs = Cs::new(mode);
    synthesize(&mut cs, &BatchPublic::at(trace, Fr::from(98_765u64)), trace);
    cs
}

fn matrices() -> R1cs<Fr> {
    build(Mode::Shape, &tiny_batch(true)).finish().1.expect("shape mode records matrices")
}

/// The verdict of the witness as it is written, which must be that of the matrices.
fn solved(r1cs: &R1cs<Fr>, trace: &BatchTrace) -> Verdict {
    let cs = build(Mode::Witness, trace);
    let (found, verdict) = (cs.unsatisfied(), circuit(&cs));
    assert_eq!(r1cs.first_unsatisfied(&cs.finish().0.full()), found);
    verdict
}

/// The operations of a batch in an order that is valid again: what one may need comes before it.
fn operations(trace: &BatchTrace) -> Vec<Operation> {
    let settled = trace.accounts.iter().filter_map(|row| {
        let instrument = row.settlement.instruments.first()?;
        Some(settle(row.index, trace.risk_row(*instrument)?.spec.expiry))
    });
    let deposits = trace.deposits.iter().cloned().map(Operation::from);
    let trades = trace.trades.iter().cloned().map(Box::new).map(Operation::Trade);
    let requests = trace.requests.iter().cloned().map(Operation::Request);
    let steps = trace.accounts.iter().filter_map(|row| match row.step.as_ref()? {
        AuctionStep::Start { .. } => Some(Operation::StartAuction(row.index)),
        AuctionStep::End => Some(Operation::EndAuction(row.index)),
        AuctionStep::Count { .. } => Some(Operation::CountDeficit(row.index)),
        AuctionStep::Bid(_) => None,
    });
    let forced = trace.accounts.iter().filter_map(|row| {
        let action = match row.answer? {
            ForcedAnswer::Withdrawal { amount, .. } => ForcedAction::Withdrawal { amount },
            ForcedAnswer::CancelAll { .. } => ForcedAction::CancelAll,
            ForcedAnswer::Reduction(answer) => ForcedAction::Reduction(answer.terms),
        };
        Some(Operation::Forced(ForcedRequest { account: row.index, action }))
    });
    let grants = trace.accounts.iter().filter_map(|row| {
        let (account, tier) = (row.index, row.new.tier);
        let held = row.old.as_ref().map_or(Tier::MIN, |old| old.tier);
        (tier != held).then_some(Operation::GrantTier(GrantTier { account, tier }))
    });
    let others = deposits.chain(grants).chain(trades).chain(requests).chain(steps);
    // What is forced takes what all others leave.
    settled.chain(others).chain(forced).collect()
}

fn resign(trade: &mut Trade) {
    for signed in [&mut trade.buy, &mut trade.sell] {
        *signed = signed.order.clone().sign(&trader_key(signed.order.account), domain());
    }
}

fn time_before(time: Time) -> Time {
    Time::new(time.get() - 1).expect("not 0")
}

fn change_action(action: &mut Action, change: impl FnOnce(i64) -> i64) {
    match action {
        Action::Transfer { amount, .. } | Action::Withdrawal { amount, .. } => {
            *amount = Cash::new(change(amount.get())).expect("not the last");
        }
        Action::Rekey { view_key, .. } => *view_key += Fr::from(1u64),
        Action::CancelAll { base } => {
            *base = Nonce::new(base.get() - 1).expect("not the first");
        }
        Action::Bid(bid) => match change(7) {
            0 => bid.fraction_min_ppm = bid.fraction_max_ppm + 1,
            _ => bid.limit = Cash::MIN,
        },
    }
}

/// Changes one term of one operation and signs it again, mostly.
fn change(rng: &mut ChaCha8Rng, operation: &mut Operation) {
    let is_signed_again = rng.gen_ratio(5, 6);
    let price = |value: u32, more: u32| Price::new(value.wrapping_add(more)).expect("32 bits");
    match operation {
        Operation::StartAuction(account)
        | Operation::EndAuction(account)
        | Operation::CountDeficit(account) => {
            *account = AccountIndex::new(3).expect("an index");
        }
        Operation::GrantTier(grant) => grant.tier = Tier::MIN,
        Operation::Settle(settle) => settle.expiry = time_before(settle.expiry),
        Operation::Forced(request) => match rng.gen_range(0..3) {
            0 => request.account = INSURANCE_FUND,
            1 => request.account = AccountIndex::new(3).expect("an index"),
            _ => request.action = ForcedAction::Withdrawal { amount: Cash::MAX },
        },
        Operation::RefuseDeposit(deposit) => deposit.amount = Cash::default(),
        Operation::Deposit(deposit) => match rng.gen_range(0..3) {
            0 => deposit.amount = Cash::default(),
            1 => deposit.key = trader_key(AccountIndex::MAX).public(),
            _ => deposit.view_key += Fr::from(1u64),
        },
        Operation::Trade(trade) => {
            match rng.gen_range(0..10) {
                0 => trade.buy.order.limit = price(trade.price.get(), u32::MAX),
                1 => trade.sell.order.limit = price(trade.price.get(), 1),
                2 => trade.buy.order.quantity_max = OrderQuantity::default(),
                3 => trade.sell.order.quantity_min = OrderQuantity::MAX,
                4 => trade.sell.order.fee_limit = price(trade.seller_fee.get(), u32::MAX),
                5 => trade.buy.order.expiry = Time::default(),
                6 => trade.sell.order.spec.strike = price(trade.sell.order.spec.strike.get(), 1),
                7 => {
                    // As much as the order allows, and more than the schedule.
                    (trade.buy.order.fee_limit, trade.buyer_fee) = (Price::MAX, Price::MAX);
                }
                8 => {
                    let sells = trade.maker == Side::Sell;
                    trade.maker = if sells { Side::Buy } else { Side::Sell };
                }
                _ => trade.buyer_fee = price(trade.buy.order.fee_limit.get(), 1),
            }
            if is_signed_again {
                resign(trade);
            }
        }
        Operation::Request(signed) => {
            let request = &mut signed.request;
            match rng.gen_range(0..3) {
                0 => change_action(&mut request.action, |_| 0),
                1 => request.expiry = Time::default(),
                _ => change_action(&mut request.action, |amount| amount + 1),
            }
            if is_signed_again {
                *signed = request.clone().sign(&trader_key(request.account), domain());
            }
        }
    }
}

/// The batch with one operation changed: the native verdict, and the batch the operator makes
/// regardless.
fn changed_batch(rng: &mut ChaCha8Rng, case: &RandomBatch) -> Option<(Verdict, BatchTrace)> {
    let mut list = operations(&case.trace);
    let place = rng.gen_range(0..list.len().max(1));
    change(rng, list.get_mut(place)?);
    if let Operation::GrantTier(grant) = &list[place] {
        // To grant the tier that is held changes nothing, and only the native rule minds.
        let held = case.state.accounts().get(&grant.account).map_or(Tier::MIN, |held| held.tier);
        if held == grant.tier {
            return None;
        }
    }
    regardless((&case.state, &case.market, &Shape::TINY), &list, |_| ())
}

#[test]
fn agree_on_random_batches() {
    let r1cs = matrices();
    let count = 240 * times();
    let verdicts = (0..count)
        .into_par_iter()
        .map(|seed| (seed, solved(&r1cs, &random_case(5_000 + seed, Shape::TINY).trace)));
    let refused: Vec<_> = verdicts.filter(|(_, verdict)| verdict.is_some()).collect();
    assert!(refused.is_empty(), "{refused:?}");
}

#[test]
fn agree_on_changed_batches() {
    let r1cs = matrices();
    let count = 120 * times();
    let judged: Vec<_> = (0..count)
        .into_par_iter()
        .filter_map(|seed| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let case = random_case(9_000 + seed, Shape::TINY);
            let (native, trace) = changed_batch(&mut rng, &case)?;
            Some((seed, native, solved(&r1cs, &trace)))
        })
        .collect();
    let mut tally = BTreeMap::new();
    for &(seed, native, circuit) in &judged {
        assert_eq!(native, circuit, "seed {seed}: native, circuit");
        *tally.entry(native).or_insert(0) += 1;
    }
    println!("{} of {count} changed batches judged: {tally:?}", judged.len());
    assert!(judged.len() as u64 >= count / 2, "most changes break one rule alone");
    assert!(tally.len() > 6, "many rules are broken: {tally:?}");
}
