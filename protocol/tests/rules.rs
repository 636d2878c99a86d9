//! The rules one by one, in the order of `enum Rule`: for each a statement just inside its bound
//! that is accepted, and one just outside that is refused by exactly this rule.
//!
//! Rules that no operation can break, because the honest transition computes what they demand, are
//! shown on the trace: an auditor that shares no code with the transition accepts honest batches
//! and refuses forged ones.

mod rules {
    mod account {
        pub mod auction_end;
        pub mod auction_start;
        pub mod book;
        pub mod initial_margin;
        pub mod margin_matrix;
        pub mod margin_spread;
        pub mod nonce;
        pub mod position_slots;
        pub mod price_band;
        pub mod risk_reduction;
        pub mod settlement;
    }
    mod batch {
        pub mod shape;
        pub mod statement;
    }
    mod crypto {
        pub mod account_tree;
        pub mod key_valid;
        pub mod leaf_cipher;
        pub mod signature;
    }
    mod ledger {
        pub mod account_exists;
        pub mod account_requests;
        pub mod deficit;
        pub mod forced_cancel;
        pub mod forced_reduction;
        pub mod forced_request;
        pub mod forced_withdrawal;
        pub mod frozen;
        pub mod index_reuse;
        pub mod instrument_spec;
        #[expect(clippy::module_inception, reason = "a rule has the name of its room")]
        pub mod ledger;
        pub mod reduction_refusals;
        pub mod withdrawal_share;
    }
    mod market {
        pub mod fee_schedule;
        pub mod instrument_live;
        pub mod oracle_age;
        pub mod oracle_order;
        pub mod oracle_quorum;
        pub mod parameter_change;
        pub mod settlement_price;
        pub mod settlement_sample;
    }
    mod operation {
        pub mod auction_phase;
        pub mod bid_fraction;
        pub mod bid_price;
        pub mod bid_share;
        pub mod deposit_key;
        pub mod fee_limit;
        pub mod fill_quantity;
        pub mod limit_price;
        pub mod order_expiry;
        pub mod order_sides;
    }
    mod pricing {
        pub mod surface_arbitrage;
    }
    mod value {
        pub mod custody;
        pub mod range;
    }
    mod auction_world;
    mod messages;
    mod reduction_world;
    mod world;

    use zkmargin_protocol::Rule;

    #[test]
    fn every_rule_has_its_module() {
        let modules = [
            value::range::RULE,
            ledger::account_exists::RULE,
            operation::deposit_key::RULE,
            crypto::key_valid::RULE,
            crypto::signature::RULE,
            account::nonce::RULE,
            ledger::account_requests::RULE,
            operation::order_expiry::RULE,
            operation::limit_price::RULE,
            operation::fill_quantity::RULE,
            operation::fee_limit::RULE,
            market::fee_schedule::RULE,
            operation::order_sides::RULE,
            ledger::instrument_spec::RULE,
            market::instrument_live::RULE,
            account::settlement::RULE,
            ledger::index_reuse::RULE,
            account::book::RULE,
            account::position_slots::RULE,
            ledger::ledger::RULE,
            crypto::account_tree::RULE,
            account::margin_matrix::RULE,
            account::initial_margin::RULE,
            account::risk_reduction::RULE,
            ledger::frozen::RULE,
            account::auction_start::RULE,
            account::auction_end::RULE,
            operation::auction_phase::RULE,
            operation::bid_fraction::RULE,
            operation::bid_price::RULE,
            operation::bid_share::RULE,
            ledger::deficit::RULE,
            value::custody::RULE,
            ledger::withdrawal_share::RULE,
            ledger::forced_request::RULE,
            ledger::forced_withdrawal::RULE,
            ledger::forced_cancel::RULE,
            ledger::forced_reduction::RULE,
            account::margin_spread::RULE,
            market::oracle_quorum::RULE,
            market::oracle_age::RULE,
            market::oracle_order::RULE,
            account::price_band::RULE,
            market::settlement_sample::RULE,
            market::settlement_price::RULE,
            pricing::surface_arbitrage::RULE,
            market::parameter_change::RULE,
            batch::statement::RULE,
            crypto::leaf_cipher::RULE,
            batch::shape::RULE,
        ];
        assert_eq!(modules, Rule::ALL);
        assert!(Rule::ALL.is_sorted(), "ALL keeps the order of the enum");
    }
}
