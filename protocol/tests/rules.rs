//! The rules one by one, in the order of `enum Rule`: for each a statement just inside its bound
//! that is accepted, and one just outside that is refused by exactly this rule.
//!
//! Rules that no operation can break, because the honest transition computes what they demand, are
//! shown on the trace: an auditor that shares no code with the transition accepts honest batches
//! and refuses forged ones.

mod rules {
    mod account_exists;
    mod account_requests;
    mod account_tree;
    mod auction_end;
    mod auction_phase;
    mod auction_start;
    mod auction_world;
    mod bid_fraction;
    mod bid_price;
    mod bid_share;
    mod book;
    mod custody;
    mod deficit;
    mod deposit_key;
    mod fee_limit;
    mod fee_schedule;
    mod fill_quantity;
    mod forced_cancel;
    mod forced_reduction;
    mod forced_request;
    mod forced_withdrawal;
    mod frozen;
    mod index_reuse;
    mod initial_margin;
    mod instrument_live;
    mod instrument_spec;
    mod key_valid;
    mod leaf_cipher;
    mod ledger;
    mod limit_price;
    mod margin_matrix;
    mod margin_spread;
    mod messages;
    mod nonce;
    mod oracle_age;
    mod oracle_order;
    mod oracle_quorum;
    mod order_expiry;
    mod order_sides;
    mod parameter_change;
    mod position_slots;
    mod price_band;
    mod range;
    mod reduction_refusals;
    mod reduction_world;
    mod risk_reduction;
    mod settlement;
    mod settlement_price;
    mod settlement_sample;
    mod shape;
    mod signature;
    mod statement;
    mod surface_arbitrage;
    mod withdrawal_share;
    mod world;

    use zkmargin_protocol::Rule;

    #[test]
    fn every_rule_has_its_module() {
        let modules = [
            range::RULE,
            account_exists::RULE,
            deposit_key::RULE,
            key_valid::RULE,
            signature::RULE,
            nonce::RULE,
            account_requests::RULE,
            order_expiry::RULE,
            limit_price::RULE,
            fill_quantity::RULE,
            fee_limit::RULE,
            fee_schedule::RULE,
            order_sides::RULE,
            instrument_spec::RULE,
            instrument_live::RULE,
            settlement::RULE,
            index_reuse::RULE,
            book::RULE,
            position_slots::RULE,
            ledger::RULE,
            account_tree::RULE,
            margin_matrix::RULE,
            initial_margin::RULE,
            risk_reduction::RULE,
            frozen::RULE,
            auction_start::RULE,
            auction_end::RULE,
            auction_phase::RULE,
            bid_fraction::RULE,
            bid_price::RULE,
            bid_share::RULE,
            deficit::RULE,
            custody::RULE,
            withdrawal_share::RULE,
            forced_request::RULE,
            forced_withdrawal::RULE,
            forced_cancel::RULE,
            forced_reduction::RULE,
            margin_spread::RULE,
            oracle_quorum::RULE,
            oracle_age::RULE,
            oracle_order::RULE,
            price_band::RULE,
            settlement_sample::RULE,
            settlement_price::RULE,
            surface_arbitrage::RULE,
            parameter_change::RULE,
            statement::RULE,
            leaf_cipher::RULE,
            shape::RULE,
        ];
        assert_eq!(modules, Rule::ALL);
        assert!(Rule::ALL.is_sorted(), "ALL keeps the order of the enum");
    }
}
