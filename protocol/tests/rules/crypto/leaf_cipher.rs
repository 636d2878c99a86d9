use ark_bn254::Fr;
use ark_ff::Field;
use zkmargin_fixtures::build::tiny_batch;
use zkmargin_protocol::Rule;
use zkmargin_protocol::batch::statement::account_words;
use zkmargin_protocol::crypto::cipher::decrypt;

pub const RULE: Rule = Rule::LeafCipher;

#[test]
fn accepts_the_owner_who_recovers_the_leaf_from_the_statement_alone() {
    for row in tiny_batch(true).accounts {
        let words = account_words(&row);
        let cipher = words[2..].try_into().expect("ten words");
        let secret = decrypt(row.new.view_key, row.index, words[1], cipher);
        assert_eq!(secret, row.new.secret_words());
        assert!(words[2..].iter().zip(&secret).all(|(seen, hidden)| seen != hidden));
    }
}

#[test]
fn rejects_leaf_cipher_under_another_key_account_or_leaf() {
    let row = &tiny_batch(true).accounts[1];
    let words = account_words(row);
    let cipher: [Fr; 10] = words[2..].try_into().expect("ten words");
    let secret = row.new.secret_words();
    let other = zkmargin_fixtures::build::account_index(row.index.get() + 1);
    for wrong in [
        decrypt(row.new.view_key + Fr::ONE, row.index, words[1], cipher),
        decrypt(row.new.view_key, other, words[1], cipher),
        decrypt(row.new.view_key, row.index, words[1] + Fr::ONE, cipher),
    ] {
        assert!(wrong.iter().zip(&secret).all(|(got, sent)| got != sent), "no word is recovered");
    }
}
