use super::super::world::rule_of;
use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use zkmargin_protocol::Rule;
use zkmargin_protocol::crypto::babyjubjub::{BASE8, Point};
use zkmargin_protocol::crypto::eddsa::PublicKey;

pub const RULE: Rule = Rule::KeyValid;

#[test]
fn accepts_the_base_point() {
    assert!(PublicKey::new(BASE8.x, BASE8.y).is_ok());
}

#[test]
fn rejects_key_valid_for_points_of_small_order_off_the_curve_or_outside_the_subgroup() {
    let order_two = Point { x: Fr::ZERO, y: -Fr::ONE };
    // On a·x² + y² = 1 + d·x²·y² with y = 0: x² = 1/a, order 4.
    let a = Fr::from(168_700u64);
    let order_four =
        Point { x: a.inverse().and_then(|x| x.sqrt()).expect("1/a is a square"), y: Fr::ZERO };
    assert!(order_two.is_on_curve() && order_four.is_on_curve());
    // A valid key plus a point of order two, (x, y) + (0, −1) = (−x, −y): on the curve, outside the
    // subgroup.
    let outside = Point { x: -BASE8.x, y: -BASE8.y };
    assert!(outside.is_on_curve());
    let off = Point { x: BASE8.x, y: BASE8.y + Fr::ONE };
    for point in [Point::IDENTITY, order_two, order_four, outside, off] {
        assert_eq!(rule_of(PublicKey::new(point.x, point.y)), Some(RULE), "{point:?}");
    }
}
