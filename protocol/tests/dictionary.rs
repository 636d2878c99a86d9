//! A spy with a dictionary. It has every word of two statements, the oracle's table and, at the
//! worst, all of an account's content but its view key, and it must not be able to confirm that
//! content. Spec: `docs/spec/batch/statement.md#what-l1-shows`.

use std::collections::BTreeSet;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field, PrimeField};
use zkmargin_fixtures::build::{
    OrderDraft, account_index, deposit, market, now, portfolio_book, small_state, trade,
};
use zkmargin_protocol::account::Account;
use zkmargin_protocol::batch::Batch;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::batch::statement::{ACCOUNT_WORDS, HEADER_WORDS, word_count};
use zkmargin_protocol::crypto::cipher::{SECRET_WORDS, key_stream, view_commitment};
use zkmargin_protocol::crypto::domain::Tag;
use zkmargin_protocol::crypto::eddsa::SecretKey;
use zkmargin_protocol::crypto::poseidon;
use zkmargin_protocol::market::Market;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::value::units::{AccountIndex, Cash, Quantity};

type Words = [Fr; SECRET_WORDS];

const AMOUNT_E6: i64 = 100_000_000_000;
/// 1/1000 contract of the trade.
const SIZE: i64 = 437;

fn cash(amount_e6: i64) -> Cash {
    Cash::new(amount_e6).expect("64 bits")
}

fn watched() -> AccountIndex {
    account_index(4)
}

/// A view key of 256 drawn bits, as an owner would draw it; the development keys can be guessed.
fn secret_key() -> Fr {
    Fr::from_be_bytes_mod_order(&[
        0x5a, 0x1e, 0xc4, 0x93, 0x07, 0xb8, 0x6d, 0xf2, 0x2b, 0x90, 0xe1, 0x4c, 0x77, 0x3a, 0xd5,
        0x0f, 0x88, 0x61, 0xbe, 0x29, 0xf4, 0x13, 0xa7, 0x5c, 0xd0, 0x36, 0x9b, 0xe8, 0x42, 0x7d,
        0x05, 0xca,
    ])
}

/// What the venue publishes of the watched account, and what it keeps to itself.
struct World {
    market: Market,
    /// Words of the batch that opens the account, and of the batch in which it trades.
    words: [Vec<Fr>; 2],
    /// The account after each of the two.
    truth: [Account; 2],
}

/// A deposit opens account 4 under `view_key`; then the account trades with account 3.
fn world(view_key: Fr) -> World {
    let market = market(2, 1);
    let state = small_state(&market);
    let Operation::Deposit(mut opening) = deposit(watched(), portfolio_book(1), AMOUNT_E6) else {
        unreachable!("a deposit")
    };
    opening.view_key = view_key;
    let mut first = Batch::new(&state, &market, Shape::TINY, now()).expect("fresh oracle data");
    first.push(&[Operation::Deposit(opening)]).expect("a valid deposit");
    let (state, opened) = first.seal().expect("a valid batch");
    let row = market.rows().values().nth(1).expect("two instruments");
    let fill = trade(&OrderDraft::fair(row, SIZE), [watched(), account_index(3)], [0, 0]);
    let mut second = Batch::new(&state, &market, Shape::TINY, now()).expect("fresh oracle data");
    second.push(&[fill]).expect("a valid trade");
    let (_, traded) = second.seal().expect("a valid batch");
    let truth = [&opened, &traded].map(|trace| {
        let mut rows = trace.accounts.iter();
        rows.find(|row| row.index == watched()).expect("a row").new.clone()
    });
    let words = [opened.words(), traded.words()];
    World { market, words, truth }
}

/// What L1 shows of the account.
struct Spy {
    key: [Fr; 2],
    commitment: Fr,
    amount_e6: i64,
    leaves: [Fr; 2],
    ciphers: [Words; 2],
}

impl Spy {
    /// Reads the words of both statements, and nothing else.
    fn read(words: &[Vec<Fr>; 2]) -> Self {
        let shape = Shape::TINY;
        let [packed, x, y, commitment] = std::array::from_fn(|k| words[0][HEADER_WORDS + k]);
        // is used (1) ‖ account (24) ‖ book (5) ‖ amount (64)
        let limbs = packed.into_bigint().0;
        let amount_e6 = (limbs[0] >> 30 | limbs[1] << 34) as i64;
        let start = word_count(&shape) - (shape.accounts + shape.two_sided) * ACCOUNT_WORDS;
        let first = Fr::from(watched().get() + (1 << 24));
        let rows = words.each_ref().map(|words| {
            let mut rows = words[start..].chunks(ACCOUNT_WORDS);
            rows.find(|row| row[0] == first).expect("the account is in the statement")
        });
        Self {
            key: [x, y],
            commitment,
            amount_e6,
            leaves: rows.map(|row| row[1]),
            ciphers: rows.map(|row| row[2..].try_into().expect("ten words")),
        }
    }

    /// The leaf of `content` if `salt` stands in the place of the view key.
    fn leaf(&self, salt: Fr, content: &Words) -> Fr {
        let mut inputs = vec![Tag::Leaf.field(), self.key[0], self.key[1], salt];
        inputs.extend(content);
        poseidon::hash(&inputs)
    }

    /// The dictionary: one trade after the deposit, of any instrument, about this size, at a price
    /// around the mark and the usual fee.
    fn dictionary(&self, market: &Market) -> Vec<(Account, i64)> {
        let anybody = SecretKey::from_seed(&[9; 32]).public();
        let mut list = Vec::new();
        for row in market.rows().values() {
            let fee = i64::from(row.forward.get() / 10_000);
            for size in SIZE - 8..=SIZE + 8 {
                for (quantity, fee) in [(size, fee), (-size, -fee)] {
                    for off in -10..=10 {
                        let each = i64::from(row.mark.get()) + fee + off;
                        let mut account = Account::open(anybody, Fr::ZERO, portfolio_book(1));
                        account.cash = cash(self.amount_e6 - quantity * each);
                        account.nonces.bits = 1;
                        let held = Quantity::new(quantity).expect("a few contracts");
                        let book = account.book.underlying;
                        account.positions.add(book, row.instrument, held).expect("a free slot");
                        list.push((account, quantity));
                    }
                }
            }
        }
        list
    }

    /// The content which the dictionary has for `leaf` with this salt.
    fn search(&self, market: &Market, leaf: Fr, salt: Fr) -> Option<(Account, i64)> {
        let mut list = self.dictionary(market).into_iter();
        list.find(|(account, _)| self.leaf(salt, &account.secret_words()) == leaf)
    }
}

fn minus(words: &Words, others: &Words) -> Words {
    std::array::from_fn(|k| words[k] - others[k])
}

#[test]
fn the_dictionary_finds_with_the_view_key_and_with_nothing_that_l1_shows() {
    let World { market, words, truth } = world(secret_key());
    let spy = Spy::read(&words);
    assert_eq!(spy.amount_e6, AMOUNT_E6, "the spy reads the deposit");
    assert_eq!(spy.commitment, view_commitment(secret_key()), "and the commitment");

    // Who has the view key finds the trade: the dictionary holds it.
    let (found, size) = spy.search(&market, spy.leaves[1], secret_key()).expect("found");
    assert_eq!((found.secret_words(), size), (truth[1].secret_words(), SIZE));

    // With the commitment in the leaf, as it was before, the same search finds it without any key.
    let unsalted = spy.leaf(spy.commitment, &truth[1].secret_words());
    let (found, size) = spy.search(&market, unsalted, spy.commitment).expect("found");
    assert_eq!((found.cash, size), (truth[1].cash, SIZE));

    for salt in [spy.commitment, Fr::ZERO, Fr::ONE, spy.leaves[0], spy.key[0], words[1][1]] {
        assert!(spy.search(&market, spy.leaves[1], salt).is_none(), "found with {salt}");
    }
}

#[test]
fn no_word_of_l1_is_the_salt_of_content_that_is_known() {
    let World { words, truth, .. } = world(secret_key());
    let spy = Spy::read(&words);
    let contents = truth.each_ref().map(Account::secret_words);
    let mut salts: BTreeSet<Fr> = words.iter().flatten().copied().collect();
    // Who knows all content knows the key streams.
    let streams = [0, 1].map(|k| minus(&spy.ciphers[k], &contents[k]));
    salts.extend(streams.iter().flatten());
    let single: Vec<_> = salts.iter().copied().collect();
    for (k, first) in single.iter().enumerate() {
        salts.extend(single[..k].iter().flat_map(|second| [*first - second, *second - first]));
    }
    salts.extend(single.iter().map(|&word| view_commitment(word)));
    assert!(single.len() > 60 && salts.len() > 4_000, "words and their differences");
    for k in [0, 1] {
        assert_eq!(spy.leaf(secret_key(), &contents[k]), spy.leaves[k]);
        for &salt in &salts {
            assert_ne!(spy.leaf(salt, &contents[k]), spy.leaves[k], "salt {salt}");
        }
    }
    // Nor does any of them open a cipher text.
    for &salt in &single {
        let guessed = key_stream(salt, watched(), spy.leaves[1]);
        assert!(guessed.iter().zip(&streams[1]).all(|(guess, word)| guess != word), "{salt}");
    }
    assert_eq!(key_stream(secret_key(), watched(), spy.leaves[1]), streams[1]);
}

#[test]
fn two_cipher_texts_of_an_account_say_nothing_of_each_other() {
    let World { words, truth, .. } = world(secret_key());
    let spy = Spy::read(&words);
    let contents = truth.each_ref().map(Account::secret_words);
    // The content after the opening is public, so its key stream is; it opens nothing of the next.
    let mut opened = Account::open(truth[0].key, Fr::ZERO, portfolio_book(1));
    opened.cash = cash(spy.amount_e6);
    assert_eq!(opened.secret_words(), contents[0]);
    let known = minus(&spy.ciphers[0], &contents[0]);
    let hidden = minus(&spy.ciphers[1], &contents[1]);
    let all: BTreeSet<_> = known.iter().chain(&hidden).collect();
    assert_eq!(all.len(), 2 * SECRET_WORDS, "no word of a key stream is used twice");
    let between = minus(&spy.ciphers[1], &spy.ciphers[0]);
    let changes = minus(&contents[1], &contents[0]);
    let mut unchanged = 0;
    for lane in 0..SECRET_WORDS {
        assert_ne!(between[lane], changes[lane], "lane {lane} shows a difference");
        unchanged += usize::from(changes[lane] == Fr::ZERO);
    }
    assert!(unchanged >= 7, "words that stay are there to be seen, and are not: {unchanged}");
}

#[test]
fn equal_content_shows_only_in_one_account_under_one_view_key() {
    // Two worlds that differ in the view key alone.
    let other = secret_key() + Fr::ONE;
    let [mine, yours] = [secret_key(), other].map(world);
    for k in [0, 1] {
        assert_eq!(mine.truth[k].secret_words(), yours.truth[k].secret_words());
        assert_ne!(mine.truth[k].leaf(), yours.truth[k].leaf());
    }
    let [seen, compared] = [&mine, &yours].map(|world| Spy::read(&world.words));
    for k in [0, 1] {
        let pairs = seen.ciphers[k].iter().zip(&compared.ciphers[k]);
        assert!(pairs.clone().all(|(one, two)| one != two));
        // What is left of equal content is the difference of two streams: no lane repeats.
        let differences: BTreeSet<_> = pairs.map(|(one, two)| *one - two).collect();
        assert_eq!(differences.len(), SECRET_WORDS);
    }
    // Under one view key equal content is equal on L1: a limit that the specification states.
    let again = Spy::read(&world(secret_key()).words);
    assert_eq!((again.leaves, again.ciphers), (seen.leaves, seen.ciphers));
}

#[test]
fn a_view_key_that_can_be_guessed_hides_nothing() {
    let World { market, words, truth } = world(Fr::ZERO);
    let spy = Spy::read(&words);
    assert_eq!(spy.commitment, view_commitment(Fr::ZERO), "a guess is confirmed by the commitment");
    let (found, size) = spy.search(&market, spy.leaves[1], Fr::ZERO).expect("found");
    assert_eq!((found.cash, size), (truth[1].cash, SIZE));
}
