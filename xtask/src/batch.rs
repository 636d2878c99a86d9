//! The batch circuits of the named shapes, on synthetic batches.

use ark_bn254::Fr;
use zkmargin_circuits::Cs;
use zkmargin_circuits::batch::{BatchPublic, synthesize};
use zkmargin_circuits::catalogue::{self, Circuit};
use zkmargin_fixtures::build;
use zkmargin_protocol::account::settlement::Settlement;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::batch::trace::{AccountRow, BatchTrace};
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::operation::bid::AuctionStep;
use zkmargin_protocol::operation::forced::ForcedAnswer;
use zkmargin_protocol::operation::forced::reduction::{Reduced, Refusal};
use zkmargin_protocol::operation::order::Side;
use zkmargin_protocol::operation::trade::Trade;
use zkmargin_protocol::value::units::{Holders, Price, Tier};

/// Columns of the commitment and of the evaluation; the challenge between them is given.
const OUTPUTS: &[usize] = &[1, 3];

const CATALOGUE: &[Circuit] = &[
    Circuit { name: "batch/tiny", branches: 39, body: tiny, outputs: OUTPUTS },
    Circuit {
        name: "batch/small",
        branches: 2,
        body: |cs, branch| random(cs, branch as u64, Shape::SMALL),
        outputs: OUTPUTS,
    },
    Circuit {
        name: "batch/large",
        branches: 1,
        body: |cs, branch| random(cs, branch as u64, Shape::LARGE),
        outputs: OUTPUTS,
    },
];

/// All circuits, the gadgets first.
pub fn circuits() -> impl Iterator<Item = &'static Circuit> {
    catalogue::circuits().chain(CATALOGUE)
}

/// Something a batch may have.
type Has = fn(&BatchTrace) -> bool;

/// What random batches of the tiny shape have, and which of those that have it is taken.
const KINDS: [(Has, usize); 29] = [
    (is_reducing, 0),
    (is_reducing, 1),
    (is_settling_short, 0),
    (is_settling_outside_band, 0),
    (is_changing, 0),
    (is_rekeying_opened, 0),
    (is_starting, 0),
    (is_ending, 0),
    (is_selling, 0),
    (is_selling, 1),
    (is_paying_out, 0),
    (is_counting, 0),
    (is_forced_in_part, 0),
    (is_forced_in_auction, 0),
    (is_voided_by_force, 0),
    (is_out_of_nonces, 0),
    (has_contracts_taken, 0),
    (has_contracts_taken, 1),
    (is_unavailable, 0),
    (is_kept_by_account, 0),
    (is_kept_by_account, 1),
    (is_kept_by_counterparty, 0),
    (is_kept_by_counterparty, 1),
    (is_giving_back, 0),
    (is_granting, 0),
    (is_charging_most, 0),
    (is_charging_most, 1),
    (is_freeing, 0),
    (is_listing, 0),
];

/// An account short of initial margin closes a position.
fn is_reducing(batch: &BatchTrace) -> bool {
    let closes =
        |row: &AccountRow| row.old.as_ref().is_some_and(|old| old.positions != row.new.positions);
    batch.two_sided().any(|(row, _)| closes(row))
}

/// An account short of initial margin has positions settled.
fn is_settling_short(batch: &BatchTrace) -> bool {
    batch.two_sided().any(|(row, _)| row.settlement != Settlement::default())
}

/// The same while a forward is outside of its band.
fn is_settling_outside_band(batch: &BatchTrace) -> bool {
    batch.attestation.message.is_outside_band && is_settling_short(batch)
}

/// One request changes keys, another cancels all.
fn is_changing(batch: &BatchTrace) -> bool {
    let actions: Vec<_> = batch.requests.iter().map(|signed| &signed.request.action).collect();
    actions.iter().any(|action| matches!(action, Action::Rekey { .. }))
        && actions.iter().any(|action| matches!(action, Action::CancelAll { .. }))
}

/// An account changes its keys in the batch that opens it.
fn is_rekeying_opened(batch: &BatchTrace) -> bool {
    let opened = |index| batch.accounts.iter().any(|row| row.index == index && row.old.is_none());
    let mut requests = batch.requests.iter().map(|signed| &signed.request);
    requests.any(|r| matches!(r.action, Action::Rekey { .. }) && opened(r.account))
}

fn has_step(batch: &BatchTrace, is_meant: impl Fn(&AuctionStep) -> bool) -> bool {
    batch.accounts.iter().filter_map(|row| row.step.as_ref()).any(is_meant)
}

/// An auction starts with a fee.
fn is_starting(batch: &BatchTrace) -> bool {
    has_step(batch, |step| matches!(step, AuctionStep::Start { fee } if *fee > 0))
}

/// An auction ends.
fn is_ending(batch: &BatchTrace) -> bool {
    has_step(batch, |step| *step == AuctionStep::End)
}

/// A bidder pays for contracts.
fn is_selling(batch: &BatchTrace) -> bool {
    has_step(
        batch,
        |step| matches!(step, AuctionStep::Bid(fill) if fill.price > 0 && !fill.shares.is_empty()),
    )
}

/// The fund gives less than is missing, and the rest of the deficit is counted.
fn is_counting(batch: &BatchTrace) -> bool {
    batch.deficit_after > 0 && has_step(batch, |step| matches!(step, AuctionStep::Count { .. }))
}

fn has_answer(batch: &BatchTrace, is_meant: impl Fn(&AccountRow, &ForcedAnswer) -> bool) -> bool {
    batch.accounts.iter().any(|row| row.answer.as_ref().is_some_and(|answer| is_meant(row, answer)))
}

/// A forced withdrawal takes a part, of which a share leaves.
fn is_forced_in_part(batch: &BatchTrace) -> bool {
    batch.custody.deficit() > 0
        && has_answer(batch, |_, answer| match answer {
            ForcedAnswer::Withdrawal { amount, paid } => paid < amount && paid.get() > 0,
            ForcedAnswer::CancelAll { .. } | ForcedAnswer::Reduction(_) => false,
        })
}

/// A request is forced on an account in auction.
fn is_forced_in_auction(batch: &BatchTrace) -> bool {
    has_answer(batch, |row, _| row.new.auction.is_some())
}

/// A window of nonces is voided without a signature.
fn is_voided_by_force(batch: &BatchTrace) -> bool {
    has_answer(batch, |_, answer| *answer == ForcedAnswer::CancelAll { is_refused: false })
}

/// The same of an account that has no other window.
fn is_out_of_nonces(batch: &BatchTrace) -> bool {
    has_answer(batch, |_, answer| *answer == ForcedAnswer::CancelAll { is_refused: true })
}

/// A forced reduction that ends like this.
fn has_reduction(batch: &BatchTrace, is_meant: fn(&Reduced) -> bool) -> bool {
    has_answer(batch, |_, answer| match answer {
        ForcedAnswer::Reduction(answer) => is_meant(answer),
        ForcedAnswer::Withdrawal { .. } | ForcedAnswer::CancelAll { .. } => false,
    })
}

/// Contracts are forced on another account.
fn has_contracts_taken(batch: &BatchTrace) -> bool {
    has_reduction(batch, Reduced::is_done)
}

/// They stay, for nobody is there to take them.
fn is_unavailable(batch: &BatchTrace) -> bool {
    has_reduction(batch, |answer| answer.refusal == Some(Refusal::Unavailable))
}

/// They stay, for the account would be short of margin.
fn is_kept_by_account(batch: &BatchTrace) -> bool {
    has_reduction(batch, |answer| answer.refusal == Some(Refusal::Account))
}

/// They stay, for the counterparty would be.
fn is_kept_by_counterparty(batch: &BatchTrace) -> bool {
    has_reduction(batch, |answer| answer.refusal == Some(Refusal::Counterparty))
}

/// A deposit goes back.
fn is_giving_back(batch: &BatchTrace) -> bool {
    batch.deposits.iter().any(|row| row.is_refused)
}

/// An account is granted a better tier.
fn is_granting(batch: &BatchTrace) -> bool {
    batch.accounts.iter().any(|row| row.old.as_ref().is_some_and(|old| old.tier < row.new.tier))
}

/// A buyer above the first tier pays all that the schedule allows, and something.
fn is_charging_most(batch: &BatchTrace) -> bool {
    let row = |trade: &Trade| batch.risk_row(trade.buy.order.instrument);
    batch.trades.iter().any(|trade| {
        let buyer = batch.accounts.iter().find(|row| row.index == trade.buy.order.account);
        let tier = buyer.and_then(|row| row.old.as_ref()).map_or(Tier::MIN, |old| old.tier);
        let market = row(trade).map(|row| [row.forward, trade.price]);
        let most = |market| batch.parameters.fees.fee_floor(tier, trade.maker == Side::Buy, market);
        let is_most = market.map(most) == Some(trade.buyer_fee);
        is_most && tier > Tier::MIN && trade.buyer_fee > Price::MIN
    })
}

/// The last holder of an instrument is gone.
fn is_freeing(batch: &BatchTrace) -> bool {
    let none = Holders::MIN;
    batch.instruments.iter().any(|row| row.old_holders > none && row.new_holders == none)
}

/// An instrument that nobody held has holders.
fn is_listing(batch: &BatchTrace) -> bool {
    let none = Holders::MIN;
    batch.instruments.iter().any(|row| row.old_holders == none && row.new_holders > none)
}

/// The insurance fund pays a bidder.
fn is_paying_out(batch: &BatchTrace) -> bool {
    has_step(batch, |step| matches!(step, AuctionStep::Bid(fill) if fill.price < 0))
}

/// One batch of each hand-made kind, random ones of each of [`KINDS`], then any.
fn tiny(cs: &mut Cs, branch: usize) {
    if branch < 2 {
        return write(cs, &build::tiny_batch(branch == 1));
    }
    let Some((has, place)) = KINDS.get(branch - 2) else {
        return random(cs, branch as u64, Shape::TINY);
    };
    let mut batches = (0..1_000).map(|seed| build::random_batch(seed, Shape::TINY)).filter(has);
    write(cs, &batches.nth(*place).expect("random batches have everything they promise"));
}

fn random(cs: &mut Cs, seed: u64, shape: Shape) {
    write(cs, &build::random_batch(seed, shape));
}

fn write(cs: &mut Cs, trace: &BatchTrace) {
    // The contract derives the challenge from domain, commitment and words; any will do for a
    // shape.
    synthesize(cs, &BatchPublic::at(trace, Fr::from(12_345u64)), trace);
}
