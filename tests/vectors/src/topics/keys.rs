//! Key derivation: from private keys, Nano seeds, BIP39 phrases, and seeds written as words.

use nano_core::{Account, Bip39Phrase, NanoSeed, PrivateKey, PublicKey};
use serde::Deserialize;

use super::Note;
use crate::report::Checks;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    private_to_public: Vec<PrivateToPublic>,
    seed_index: Vec<SeedIndex>,
    seed_index_published: Vec<SeedIndexPublished>,
    bip39_bip44: Vec<Bip39>,
    mnemonic_as_nano_seed: Vec<SeedWords>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PrivateToPublic {
    private_key: String,
    public_key: PublicKey,
    address: Account,
    #[serde(rename = "source")]
    _source: Note,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedIndex {
    seed: String,
    index: u32,
    private_key: String,
    public_key: PublicKey,
    address: Account,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedIndexPublished {
    seed: String,
    index: u32,
    private_key: String,
    #[serde(rename = "source")]
    _source: Note,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bip39 {
    mnemonic: String,
    passphrase: String,
    bip39_seed: String,
    accounts: Vec<Bip44>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bip44 {
    path: String,
    private_key: String,
    public_key: PublicKey,
    address: Account,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedWords {
    mnemonic: String,
    nano_seed: String,
    #[serde(rename = "note")]
    _note: Note,
    #[serde(rename = "source")]
    _source: Note,
}

pub(crate) fn run(json: &str, checks: &mut Checks) -> serde_json::Result<()> {
    let data: Data = serde_json::from_str(json)?;
    checks.rows(
        "private_to_public",
        &data.private_to_public,
        |checks, row| {
            if let Some(key) = checks.ok("private key", PrivateKey::from_hex(&row.private_key)) {
                check_key(checks, &key, &row.private_key, row.public_key, row.address);
            }
        },
    );
    checks.rows("seed_index", &data.seed_index, |checks, row| {
        if let Some(seed) = checks.ok("seed", NanoSeed::from_hex(&row.seed)) {
            let key = seed.private_key(row.index);
            check_key(checks, &key, &row.private_key, row.public_key, row.address);
        }
    });
    checks.rows(
        "seed_index_published",
        &data.seed_index_published,
        |checks, row| {
            if let Some(seed) = checks.ok("seed", NanoSeed::from_hex(&row.seed)) {
                let key = seed.private_key(row.index);
                check_secret(checks, "private key", key.secret_bytes(), &row.private_key);
            }
        },
    );
    checks.rows("bip39_bip44", &data.bip39_bip44, |checks, row| {
        let phrase = Bip39Phrase::parse(&row.mnemonic, &row.passphrase);
        let Some(phrase) = checks.ok("phrase", phrase) else {
            return;
        };
        check_secret(checks, "BIP39 seed", phrase.secret_seed(), &row.bip39_seed);
        checks.holds("has accounts", !row.accounts.is_empty());
        for account in &row.accounts {
            let index = index_of(&account.path);
            let index = checks.ok(&account.path, index.ok_or("not a path of Nano"));
            let key = index.and_then(|index| checks.ok("key", phrase.private_key(index)));
            if let Some(key) = key {
                let (public_key, address) = (account.public_key, account.address);
                check_key(checks, &key, &account.private_key, public_key, address);
            }
        }
    });
    checks.rows(
        "mnemonic_as_nano_seed",
        &data.mnemonic_as_nano_seed,
        |checks, row| {
            if let Some(seed) = checks.ok("words", NanoSeed::from_words(&row.mnemonic)) {
                check_secret(checks, "seed", seed.secret_bytes(), &row.nano_seed);
                checks.equal("words back", seed.to_words().as_str(), &row.mnemonic);
            }
        },
    );
    Ok(())
}

fn index_of(path: &str) -> Option<u32> {
    let index = path.strip_prefix("m/44'/165'/")?.strip_suffix('\'')?;
    index.parse().ok()
}

fn check_secret(checks: &mut Checks, what: &str, got: &[u8], expected: &str) {
    checks.equal(what, hex::encode(got), expected.to_lowercase());
}

fn check_key(
    checks: &mut Checks,
    key: &PrivateKey,
    private_key: &str,
    public_key: PublicKey,
    address: Account,
) {
    check_secret(checks, "private key", key.secret_bytes(), private_key);
    checks.equal("public key", key.public_key(), public_key);
    checks.equal("address", key.account(), address);
}
