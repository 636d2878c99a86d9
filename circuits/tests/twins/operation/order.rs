//! Sides, expiry, limits, quantities, fees and specification of a trade, without its signatures.

use ark_bn254::Fr;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use zkmargin_circuits::crypto::eddsa::SignatureVar;
use zkmargin_circuits::operation::fill::{FillVar, TradeInput};
use zkmargin_circuits::operation::order::OrderVar;
use zkmargin_circuits::operation::trade;
use zkmargin_fixtures::build::{account, account_index, portfolio_book};
use zkmargin_protocol::market::instrument::InstrumentSpec;
use zkmargin_protocol::operation::order::{Order, Side, SignedOrder};
use zkmargin_protocol::operation::trade::Trade;
use zkmargin_protocol::pricing::black76::OptionKind;
use zkmargin_protocol::value::units::{
    AccountIndex, InstrumentIndex, Nonce, OrderQuantity, Price, Quantity, Time, Underlying,
};
use zkmargin_protocol::{Reject, Rule};

use super::super::draw::{Verdict, agree, circuit, header_at, mostly, native, near, witness};

fn price(rng: &mut ChaCha8Rng, bound: Price, sign: i128) -> Price {
    let number = mostly(rng, bound.into(), sign, 0, Price::MAX.into());
    Price::try_from(number).expect("clamped")
}

/// An order around the fill.
fn order(rng: &mut ChaCha8Rng, side: Side, fill: &Fill) -> SignedOrder {
    let right = rng.gen_ratio(15, 16);
    let sign = if side == Side::Buy { 1 } else { -1 };
    let most = i128::from(Quantity::MAX);
    let filled = i128::from(fill.quantity);
    let expiry = mostly(rng, fill.time.into(), 1, 0, Time::MAX.into());
    let order = Order {
        account: AccountIndex::new(rng.gen_range(2..12)).expect("an index"),
        side: if right == (side == Side::Buy) { Side::Buy } else { Side::Sell },
        instrument: if rng.gen_ratio(31, 32) { fill.instrument } else { InstrumentIndex::MAX },
        spec: if rng.gen_ratio(15, 16) { fill.spec } else { other_spec(fill.spec) },
        limit: price(rng, fill.price, sign),
        fee_limit: price(rng, fill.fee, 1),
        quantity_min: OrderQuantity::try_from(mostly(rng, filled, -1, 0, most)).expect("clamped"),
        quantity_max: OrderQuantity::try_from(mostly(rng, filled, 1, 0, most)).expect("clamped"),
        nonce: Nonce::default(),
        expiry: Time::try_from(expiry).expect("clamped"),
    };
    SignedOrder { order, signature: SignatureVar::padding() }
}

fn other_spec(spec: InstrumentSpec) -> InstrumentSpec {
    InstrumentSpec { strike: Price::new(spec.strike.get() ^ 1).expect("32 bits"), ..spec }
}

struct Fill {
    time: Time,
    price: Price,
    fee: Price,
    quantity: Quantity,
    instrument: InstrumentIndex,
    spec: InstrumentSpec,
}

fn random_trade(rng: &mut ChaCha8Rng) -> (Time, Trade) {
    let price = |number| Price::try_from(number).expect("32 bits");
    let underlying = Underlying::new(1).expect("an underlying");
    let quantity = near(rng, 500, -3, Quantity::MAX.into());
    let fill = Fill {
        time: Time::try_from(near(rng, 1_770_000_000, 0, Time::MAX.into())).expect("clamped"),
        price: price(near(rng, 2_500_000, 0, Price::MAX.into())),
        fee: price(near(rng, 10_000, 0, Price::MAX.into())),
        quantity: Quantity::try_from(quantity).expect("clamped"),
        instrument: InstrumentIndex::of(underlying, rng.gen_range(1..4)).expect("a slot"),
        spec: InstrumentSpec {
            underlying,
            expiry: Time::MAX,
            strike: price(3_000_000),
            kind: OptionKind::Call,
        },
    };
    let trade = Trade {
        buy: order(rng, Side::Buy, &fill),
        sell: order(rng, Side::Sell, &fill),
        price: fill.price,
        quantity: fill.quantity,
        maker: Side::Buy,
        buyer_fee: fill.fee,
        seller_fee: fill.fee,
    };
    (fill.time, trade)
}

/// What the ledger demands of a trade besides signatures, in its order.
fn judge_natively(trade: &Trade, time: Time) -> Verdict {
    let checked = trade.check_sides().and_then(|()| trade.check_limits(time));
    // The table's specification is the buyer's here; `argument` looks it up.
    let spec = checked.and_then(|()| match trade.sell.order.spec == trade.buy.order.spec {
        true => Ok(()),
        false => Err(Reject::because(Rule::InstrumentSpec, "the seller's specification")),
    });
    native(spec)
}

fn judge_in_circuit(trade: &Trade, time: Time) -> Verdict {
    let mut cs = witness();
    let header = header_at(&mut cs, Fr::from(7u64), time);
    let signer = account(account_index(2), portfolio_book(1));
    let signers = [signer.clone(), signer.clone()];
    let (trade, forward) = (trade.clone(), Price::MIN);
    let input = TradeInput { is_active: true, trade, signers, forward };
    let fill = FillVar::external(&mut cs, &input, &header);
    let trade = &input.trade;
    let buy = OrderVar::external(&mut cs, &trade.buy, &signer, Side::Buy);
    let sell = OrderVar::external(&mut cs, &trade.sell, &signer, Side::Sell);
    let orders = [&buy, &sell];
    trade::enforce_sides(&mut cs, &fill, &orders);
    trade::enforce_limits(&mut cs, &fill, &orders);
    trade::enforce_spec(&mut cs, &fill, &orders);
    circuit(&cs)
}

#[test]
fn agree_on_limits_of_random_trades() {
    let rules = [
        Rule::OrderSides,
        Rule::OrderExpiry,
        Rule::LimitPrice,
        Rule::FillQuantity,
        Rule::FeeLimit,
        Rule::InstrumentSpec,
    ];
    agree(4_000, &rules, |rng| {
        let (time, trade) = random_trade(rng);
        [judge_natively(&trade, time), judge_in_circuit(&trade, time)]
    });
}
