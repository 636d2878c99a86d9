//! Fees of a trade at the bounds of random schedules: the bound rounded down natively, two products
//! in the circuit.

use ark_bn254::Fr;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use zkmargin_circuits::market::fee_schedule::{ChargedVar, FeeScheduleVar, TierVar};
use zkmargin_circuits::operation::fill::{FillVar, TradeInput};
use zkmargin_fixtures::build::{OrderDraft, account, account_index, portfolio_book, risk_rows};
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::Account;
use zkmargin_protocol::market::fee_schedule::{FeeRates, FeeSchedule, PERMILLE};
use zkmargin_protocol::operation::order::Side;
use zkmargin_protocol::operation::trade::Trade;
use zkmargin_protocol::value::units::{Price, Tier, Time};

use super::super::draw::{agree, circuit, header_at, native, near, witness};

fn price(rng: &mut ChaCha8Rng, bound: i128) -> Price {
    Price::try_from(near(rng, bound, 0, Price::MAX.into())).expect("clamped")
}

/// Rates that fall from tier to tier, at times the widest; a cap up to the whole price.
fn random_schedule(rng: &mut ChaCha8Rng) -> FeeSchedule {
    let mut dearest = if rng.gen_ratio(1, 8) { [u16::MAX; 2] } else { rng.r#gen() };
    let tiers = std::array::from_fn(|_| {
        let [maker_ppm, taker_ppm] = dearest;
        dearest = dearest.map(|rate| rng.gen_range(0..=rate));
        FeeRates { maker_ppm, taker_ppm }
    });
    let cap_permille = near(rng, 125, 0, PERMILLE.into());
    FeeSchedule { tiers, cap_permille: u16::try_from(cap_permille).expect("10 bits") }
}

/// A trade whose fees are near what the schedule allows, with its signers and forward.
fn random_input(rng: &mut ChaCha8Rng, template: &Trade, schedule: &FeeSchedule) -> TradeInput {
    let signers: [Account; 2] = [2, 3].map(|index| {
        let tier = Tier::new(rng.gen_range(0..=Tier::MAX.get())).expect("2 bits");
        Account { tier, ..account(account_index(index), portfolio_book(1)) }
    });
    let [forward, paid] = [price(rng, 80_000_000), price(rng, 2_500_000)];
    let maker = if rng.r#gen() { Side::Buy } else { Side::Sell };
    let mut fee = |side, signer: &Account| {
        let most = schedule.fee_floor(signer.tier, maker == side, [forward, paid]);
        let is_bound = rng.r#gen::<bool>();
        if is_bound { most } else { price(rng, most.into()) }
    };
    let buyer_fee = fee(Side::Buy, &signers[0]);
    let seller_fee = fee(Side::Sell, &signers[1]);
    let trade = Trade { price: paid, maker, buyer_fee, seller_fee, ..template.clone() };
    TradeInput { is_active: true, trade, signers, forward }
}

#[test]
fn agree_on_fees_of_random_trades() {
    let rows = risk_rows(1, 1);
    let draft = OrderDraft::fair(rows.values().next().expect("one"), 500);
    let [buy, sell] = [(Side::Buy, 2), (Side::Sell, 3)]
        .map(|(side, index)| draft.order(side, account_index(index), 0));
    let template = draft.fill(buy, sell);
    agree(4_000, &[Rule::FeeSchedule], |rng| {
        let schedule = random_schedule(rng);
        schedule.check().expect("rates that fall");
        let input = random_input(rng, &template, &schedule);
        let tiers = input.signers.each_ref().map(|signer| signer.tier);
        let TradeInput { trade, forward, .. } = &input;
        let fees = [(Side::Buy, trade.buyer_fee), (Side::Sell, trade.seller_fee)];
        let judged = native(fees.into_iter().zip(tiers).try_for_each(|((side, fee), tier)| {
            schedule.check_fee(fee, tier, trade.maker == side, [*forward, trade.price])
        }));
        let mut cs = witness();
        let header = header_at(&mut cs, Fr::from(7u64), Time::MIN);
        let fill = FillVar::external(&mut cs, &input, &header);
        let schedule = FeeScheduleVar::external(&mut cs, &schedule);
        let [buyer, seller] = tiers.map(|tier| TierVar::external(&mut cs, tier));
        let before = cs.constraints();
        let fees = [
            ChargedVar { fee: fill.buyer_fee(), tier: &buyer },
            ChargedVar { fee: fill.seller_fee(), tier: &seller },
        ];
        let (is_buyer_maker, forward, price) =
            (fill.is_buyer_maker(), fill.forward(), fill.price());
        schedule.enforce_fees(&mut cs, fees, is_buyer_maker, forward, price);
        assert_eq!(cs.constraints() - before, 193, "as its documentation says");
        [judged, circuit(&cs)]
    });
}
