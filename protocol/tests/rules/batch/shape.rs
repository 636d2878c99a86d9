use super::super::world::{ROOM, World};
use zkmargin_fixtures::build::{account_index, deposit, portfolio_book, signed_move, trade};
use zkmargin_protocol::Rule;
use zkmargin_protocol::batch::Batch;
use zkmargin_protocol::batch::shape::Shape;

pub const RULE: Rule = Rule::Shape;

/// A batch's operations: one of each kind.
fn operations(world: &World) -> [zkmargin_protocol::operation::Operation; 3] {
    [
        deposit(account_index(4), portfolio_book(1), 250_000_000),
        trade(&world.draft(), [2, 3].map(account_index), [0, 0]),
        signed_move(account_index(2), None, 1_500_000, 1),
    ]
}

#[test]
fn accepts_a_shape_that_is_full_and_rejects_shape_with_one_row_fewer_of_any_table() {
    let world = World::new();
    let list = operations(&world);
    let mut batch = Batch::new(&world.state, &world.market, ROOM, world.time).expect("fresh");
    batch.push(&list).expect("room");
    let used = batch.used();
    // Accounts 1 to 4: one node above 1, 2, 3, one above 4, one on each of the ten levels above and
    // the root.
    let expected = Shape {
        trades: 1,
        requests: 1,
        deposits: 1,
        accounts: 4,
        two_sided: 0,
        nodes: 13,
        instruments: 1,
        instrument_nodes: 8,
    };
    assert_eq!(used, expected);
    World { shape: used, ..World::new() }.accepts("full", &list);
    let fewer: [fn(&mut Shape); 7] = [
        |s| s.trades -= 1,
        |s| s.requests -= 1,
        |s| s.deposits -= 1,
        |s| s.accounts -= 1,
        |s| s.nodes -= 1,
        |s| s.instruments -= 1,
        |s| s.instrument_nodes -= 1,
    ];
    for (table, less) in fewer.into_iter().enumerate() {
        let mut shape = used;
        less(&mut shape);
        let tight = World { shape, ..World::new() };
        tight.rejects(RULE, &format!("table {table}"), &list);
    }
}

#[test]
fn accepts_what_fits_after_shape_refused_more() {
    let world = World { shape: Shape::TINY, ..World::new() };
    let mut batch =
        Batch::new(&world.state, &world.market, Shape::TINY, world.time).expect("fresh");
    batch.push(&operations(&world)).expect("room");
    let before = batch.used();
    let one_more = [deposit(account_index(4), portfolio_book(1), 1)];
    assert_eq!(batch.push(&one_more).expect_err("one deposit a batch").rule, RULE);
    assert_eq!(batch.used(), before, "the batch is as it was");
    batch.seal().expect("still valid");
}
