use std::collections::{BTreeMap, BTreeSet};

use ark_bn254::Fr;

use super::super::world::{
    BUYER, OTHER_SPECS, SELLER, World, cash, index, order_quantity, price, quantity, rule_of, time,
};
use zkmargin_fixtures::build::{
    NOW_S, account, deposit, market_of, portfolio_book, random_case, risk_rows, settle, settled,
    signed_move, state, trade,
};
use zkmargin_fixtures::forge::forgeries;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::Account;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::batch::trace::BatchTrace;
use zkmargin_protocol::crypto::tree::SparseTree;
use zkmargin_protocol::ledger::state::{Snapshot, State};
use zkmargin_protocol::market::Market;
use zkmargin_protocol::market::risk_row::RiskRow;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::value::units::{AccountIndex, InstrumentIndex};

pub const RULE: Rule = Rule::IndexReuse;

/// The market of two options, the first changed.
fn listed(change: impl FnOnce(&mut RiskRow)) -> Market {
    let mut rows = risk_rows(2, 1);
    change(rows.values_mut().next().expect("two rows"));
    market_of(&rows)
}

/// The first option is over.
fn over() -> Market {
    listed(|row| *row = settled(row.clone()))
}

/// The first index stands for an option at another strike.
fn reused() -> Market {
    listed(|row| row.spec.strike = price(row.spec.strike.get() + 1))
}

/// Traders 2, 3 and 4 hold so many contracts of the first option, 1/1000.
fn held(market: &Market, held_e3: [i64; 3]) -> State {
    let first = *market.rows().keys().next().expect("two rows");
    let holder = |(place, held): (u32, i64)| {
        let mut holder = account(index(place), portfolio_book(1));
        holder.cash = cash(1_000_000_000_000);
        if held != 0 {
            let added = holder.positions.add(holder.book.underlying, first, quantity(held));
            added.expect("a free slot");
        }
        (index(place), holder)
    };
    state((2..).zip(held_e3).map(holder).collect(), 4, market)
}

fn due(place: u32) -> Operation {
    settle(index(place), time(NOW_S - 100))
}

#[test]
fn rejects_index_reuse_in_each_part_and_every_way_to_touch_a_holder() {
    let holder = index(BUYER);
    for (part, change) in OTHER_SPECS.into_iter().enumerate() {
        // The holder's state is that of the market before.
        let world = World { market: listed(|row| change(&mut row.spec)), ..World::new() };
        let touched = [
            deposit(holder, portfolio_book(1), 5),
            signed_move(index(SELLER), Some(holder), 7, 0),
            signed_move(holder, None, 9, 0),
            Operation::StartAuction(holder),
        ];
        for (way, operation) in touched.into_iter().enumerate() {
            world.rejects(RULE, &format!("part {part}, way {way}"), &[operation]);
        }
        world.rejects(RULE, "traded by the holder", &world.drafted(|_| ()));
        // Nobody touches the holder.
        let opened = deposit(index(4), portfolio_book(1), 900_000_000_000);
        let others = trade(&world.draft(), [4, SELLER].map(index), [0, 0]);
        world.rejects(RULE, "traded by others", &[opened, others]);
        world.accepts("another account", &[deposit(index(SELLER), portfolio_book(1), 5)]);
    }
    World::new().accepts("as it is held", &World::new().drafted(|_| ()));
}

#[test]
fn accepts_index_reuse_once_the_last_holder_is_settled() {
    let before = held(&over(), [2_000, -1_500, -500]);
    let first = *over().rows().keys().next().expect("two rows");
    let mut world = World { state: before, ..World::of(over()) };
    for (place, holders) in [(2, 2), (3, 1), (4, 0)] {
        let (next, trace) = world.play(&[due(place)]).expect("settled");
        let found = &trace.instruments[0];
        assert_eq!((found.old_holders.get(), found.new_holders.get()), (holders + 1, holders));
        assert_eq!(next.open_interest().holders(first).get(), holders);
        world.state = next;
        let later = World { state: world.state.clone(), ..World::of(reused()) };
        let opened = later.drafted(|_| ());
        match holders {
            0 => drop(later.accepts("nobody holds it", &opened)),
            _ => later.rejects(RULE, "somebody holds it", &opened),
        }
    }
    // All at once, but not in the batch that uses the index again: a batch has one table.
    let state = held(&over(), [2_000, -1_500, -500]);
    let world = World { state, ..World::of(over()) };
    let (next, trace) = world.play(&[2, 3, 4].map(due)).expect("settled");
    assert_eq!(trace.new_interest_root, SparseTree::new(8).root(), "nothing is held");
    World { state: next, ..World::of(reused()) }
        .accepts("free", &World::of(reused()).drafted(|_| ()));
}

#[test]
fn accepts_index_reuse_once_both_sides_have_closed() {
    let market = listed(|_| ());
    // Account 3 buys back what account 2 sells.
    for (closed, is_free) in [(2_000, true), (1_999, false)] {
        let mut world = World { state: held(&market, [2_000, -2_000, 0]), ..World::new() };
        let mut draft = world.draft();
        draft.quantity = quantity(closed);
        draft.quantities = [order_quantity(closed); 2];
        let sold = trade(&draft, [SELLER, BUYER].map(index), [0, 0]);
        world.state = world.play(&[sold]).expect("closed").0;
        let later = World { state: world.state, ..World::of(reused()) };
        let opened = [trade(&later.draft(), [BUYER, SELLER].map(index), [1, 1])];
        match is_free {
            true => drop(later.accepts("nobody holds it", &opened)),
            false => later.rejects(RULE, "1/1000 contract is left", &opened),
        }
    }
}

#[test]
fn rejects_index_reuse_of_a_snapshot_that_does_not_say_what_is_held() {
    let snapshot = World::new().state.snapshot();
    assert_eq!(snapshot.specs.len(), 1, "what nobody holds is left out");
    assert_eq!(State::new(snapshot.clone()).as_ref(), Ok(&World::new().state));
    let silent = Snapshot { specs: BTreeMap::new(), ..snapshot };
    assert_eq!(rule_of(State::new(silent)), Some(RULE));
}

/// How many of `accounts` hold each instrument, counted one by one.
fn counted<'a>(accounts: impl Iterator<Item = &'a Account>) -> BTreeMap<InstrumentIndex, u32> {
    let mut holders = BTreeMap::new();
    for (instrument, _) in accounts.flat_map(|account| account.positions.iter()) {
        *holders.entry(instrument).or_default() += 1;
    }
    holders
}

/// The root over holders whose specification the batch or the state before it has: specification ‖
/// holders, in 77 and 24 bits.
fn root_of(holders: &BTreeMap<InstrumentIndex, u32>, spec: impl Fn(InstrumentIndex) -> Fr) -> Fr {
    let leaf = |(&instrument, &count): (&InstrumentIndex, &u32)| {
        let shift = (0..77).fold(Fr::from(count), |shifted, _| shifted + shifted);
        (u64::from(instrument.get()), spec(instrument) + shift)
    };
    let leaves = holders.iter().map(leaf).collect();
    let mut tree = SparseTree::new(8);
    tree.set_many(&leaves).expect("16 bits");
    tree.root()
}

/// Counts the holders of all accounts again, before the batch and after it, and hashes them to both
/// roots.
fn is_counted(state: &State, trace: &BatchTrace) -> bool {
    let stored = state.snapshot().specs;
    let mut after: BTreeMap<AccountIndex, Account> = state.accounts().clone();
    after.extend(trace.accounts.iter().map(|row| (row.index, row.new.clone())));
    let [old, new] = [counted(state.accounts().values()), counted(after.values())];
    let row = |instrument| trace.risk_row(instrument).map(|row| row.spec);
    // A row says what the index stands for, before the batch as well.
    let spec_before = |i| row(i).unwrap_or_else(|| stored[&i]).field();
    let spec_after = |i| row(i).or(stored.get(&i).copied()).expect("listed").field();
    let is_row_right = trace.instruments.iter().all(|found| {
        let of = |holders: &BTreeMap<_, u32>| holders.get(&found.risk.instrument).copied();
        let found = [found.old_holders, found.new_holders].map(|holders| holders.get());
        found == [of(&old), of(&new)].map(Option::unwrap_or_default)
    });
    let touched: BTreeSet<_> = trace.instruments.iter().map(|row| row.risk.instrument).collect();
    let is_left = |i: &InstrumentIndex| touched.contains(i) || old.get(i) == new.get(i);
    is_row_right
        && old.keys().chain(new.keys()).all(is_left)
        && trace.old_interest_root == root_of(&old, spec_before)
        && trace.new_interest_root == root_of(&new, spec_after)
}

#[test]
fn accepts_the_holders_of_random_batches() {
    let (mut opened, mut closed) = (0, 0);
    for seed in 0..40 {
        let case = random_case(seed, Shape::TINY);
        assert!(is_counted(&case.state, &case.trace), "seed {seed}");
        assert_eq!(case.next.open_interest().root(), case.trace.new_interest_root, "seed {seed}");
        let rows = case.trace.instruments.iter();
        let changes = rows.map(|row| row.new_holders.cmp(&row.old_holders));
        for change in changes {
            opened += usize::from(change.is_gt());
            closed += usize::from(change.is_lt());
        }
    }
    assert!(opened > 0 && closed > 0, "{opened} {closed}");
}

#[test]
fn rejects_index_reuse_of_forged_holders() {
    let world = World::new();
    let forged: Vec<_> = forgeries().into_iter().filter(|f| f.rule == RULE).collect();
    // Nodes beside both roots are the tree's matter, which the circuit alone has to build.
    let of_nodes = ["a node", "the holders of another index", "holders whose leaf"];
    for forgery in &forged {
        let is_node = of_nodes.iter().any(|words| forgery.what.starts_with(words));
        let is_accepted = is_counted(&world.state, &forgery.trace);
        assert_eq!(is_accepted, is_node, "{}", forgery.what);
    }
    assert!(forged.len() > 15, "counts, nodes and indices: {}", forged.len());
}
