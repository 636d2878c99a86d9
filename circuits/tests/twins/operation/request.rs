//! Rows of requests with their signatures.

use ark_bn254::Fr;
use ark_ff::Field;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use zkmargin_circuits::operation::request::{RequestInput, RequestVar};
use zkmargin_fixtures::build::{
    account, account_index, cancel_all, domain, now, portfolio_book, rekey, signed_move,
};
use zkmargin_fixtures::keys::trader_key;
use zkmargin_protocol::Rule;
use zkmargin_protocol::batch::statement::withdrawal_word;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::value::units::{AccountIndex, Nonce, Time};

use super::super::draw::{agree, circuit, header, header_at, mostly, native, near, witness};
use super::deposit::random_amount;
use super::trade::spoil;

/// A request of any kind; a new base is near the lowest allowed.
fn random_request(rng: &mut ChaCha8Rng, account: AccountIndex, old_base: Nonce) -> Operation {
    let other = account_index(3);
    match rng.gen_range(0..6) {
        0 => rekey(account, other, 9),
        1..3 => {
            let least = i128::from(old_base) + 64;
            let base = near(rng, least, 0, Nonce::MAX.into());
            cancel_all(account, u64::try_from(base).expect("clamped"), 9)
        }
        _ => {
            let to = rng.r#gen::<bool>().then_some(other);
            let amount_e6 = if rng.r#gen() { random_amount(rng).get() } else { 5 };
            signed_move(account, to, amount_e6, 9)
        }
    }
}

#[test]
fn agree_on_requests() {
    let rules = [Rule::Range, Rule::OrderExpiry, Rule::Signature, Rule::Nonce];
    agree(300, &rules, |rng| {
        let payer = account_index(2);
        let mut payer_before = account(payer, portfolio_book(1));
        payer_before.nonces.base = Nonce::new(rng.gen_range(0..100)).expect("a nonce");
        let Operation::Request(mut signed) = random_request(rng, payer, payer_before.nonces.base)
        else {
            unreachable!("a request")
        };
        let expiry = mostly(rng, now().into(), 1, 0, Time::MAX.into());
        signed.request.expiry = Time::try_from(expiry).expect("clamped");
        let signer = if rng.gen_ratio(7, 8) { payer } else { account_index(3) };
        let signed_for = if rng.gen_ratio(7, 8) { domain() } else { domain() + Fr::ONE };
        let mut signed = signed.request.sign(&trader_key(signer), signed_for);
        spoil(rng, &mut signed.signature);
        let window = payer_before.nonces;
        let judged = signed
            .request
            .check_terms(now())
            .and_then(|()| signed.check_signature(&payer_before.key, domain()))
            .and_then(|()| match signed.request.action {
                Action::CancelAll { base } => window.check_voided_by(base),
                _ => Ok(()),
            });
        let mut cs = witness();
        let custody = header(domain(), now()).custody;
        let header = header_at(&mut cs, domain(), now());
        let input = RequestInput { is_active: true, signed, signer: payer_before };
        let var = RequestVar::new(&mut cs, &input, &header);
        if judged.is_ok() {
            assert_eq!(var.word().value(), withdrawal_word(&input.signed, &custody));
            let request = &input.signed.request;
            assert_eq!(
                var.action().payload().each_ref().map(|wire| wire.value()),
                request.action.payload()
            );
            let paid = request.action.amount().map_or(0, |amount| amount.get() as u64);
            assert_eq!(var.paid().value(), Fr::from(paid));
        }
        [native(judged), circuit(&cs)]
    });
}
