//! Cryptography for worlds of many nodes: links without encryption, and every signature checked
//! once for everybody.
//!
//! [`Open`] stands in for [`nanonet::Noise`]. Its links take the other side's record at its word
//! and its seals hide nothing, so nothing here can show that an impostor is refused or that a
//! secret is kept; every scenario also runs with real cryptography. Signatures of records are real,
//! and refused when they do not hold: only that one was checked before is remembered, because a
//! thousand nodes in one process would check the same one a thousand times. The same goes for records:
//! what one proves is checked by the first node that meets it, and shared by all that hold it.

mod link;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use nano_core::{SignatureError, UnixMillis};
use nanonet::slice::HeldFrontier;
use nanonet::{Contact, Crypto, Identity, NoiseKey, PeerRecord, Rng, SealError, Who};

pub use self::link::{OpenLink, kind_of};
use crate::world::Settles;

/// Verdicts remembered; beyond it all are forgotten.
const REMEMBERED: usize = 4 << 20;

thread_local! {
    static SEEN: RefCell<Seen> = RefCell::default();
}

/// A record, the date of the table under which it was checked, and what it proves.
type Proven = (Box<[u8]>, UnixMillis, Arc<HeldFrontier>);

#[derive(Default)]
struct Seen {
    contacts: HashMap<[u8; 64], Who>,
    verdicts: HashMap<[u8; 64], (PeerRecord, Result<(), SignatureError>)>,
    news: HashMap<[u8; 32], bool>,
    /// By a sum of its bytes: a record and what it proves under the table of a date.
    records: HashMap<u64, Proven>,
    asked: u64,
    checked: u64,
}

/// How often a signature was to be checked, of records and of news, and how often one was.
#[must_use]
pub fn counts() -> (u64, u64) {
    SEEN.with_borrow(|seen| (seen.asked, seen.checked))
}

/// The stand-in.
#[derive(Debug, Clone, Copy)]
pub struct Open;

impl Crypto for Open {
    type Link = OpenLink;

    fn verify_peer(record: &PeerRecord) -> Result<(), SignatureError> {
        SEEN.with_borrow_mut(|seen| {
            seen.asked += 1;
            let key = *record.signature.as_bytes();
            match seen.verdicts.get(&key) {
                Some((same, verdict)) if same == record => *verdict,
                _ => {
                    seen.checked += 1;
                    let verdict = record.verify();
                    if seen.verdicts.len() >= REMEMBERED {
                        seen.verdicts.clear();
                    }
                    seen.verdicts.insert(key, (record.clone(), verdict));
                    verdict
                }
            }
        })
    }

    /// One for everybody who knows it.
    fn contact(record: PeerRecord) -> Who {
        SEEN.with_borrow_mut(|seen| {
            let key = *record.signature.as_bytes();
            if let Some(who) = seen.contacts.get(&key).filter(|who| who.is(&record)) {
                return who.clone();
            }
            if seen.contacts.len() >= REMEMBERED {
                seen.contacts.clear();
            }
            let who = Contact::new(record);
            seen.contacts.insert(key, who.clone());
            who
        })
    }

    fn recall(record: &[u8], table: UnixMillis) -> Option<Arc<HeldFrontier>> {
        SEEN.with_borrow_mut(|seen| {
            seen.asked += 1;
            let (same, date, proven) = seen.records.get(&sum(record))?;
            (**same == *record && *date == table).then(|| Arc::clone(proven))
        })
    }

    fn remember(record: &[u8], table: UnixMillis, proven: &Arc<HeldFrontier>) {
        SEEN.with_borrow_mut(|seen| {
            seen.checked += 1;
            if seen.records.len() >= REMEMBERED {
                seen.records.clear();
            }
            let known = (record.into(), table, Arc::clone(proven));
            seen.records.insert(sum(record), known);
        });
    }

    fn check_news(name: &[u8; 32], check: &dyn Fn() -> bool) -> bool {
        SEEN.with_borrow_mut(|seen| {
            seen.asked += 1;
            if let Some(verdict) = seen.news.get(name) {
                return *verdict;
            }
            seen.checked += 1;
            let verdict = check();
            if seen.news.len() >= REMEMBERED {
                seen.news.clear();
            }
            seen.news.insert(*name, verdict);
            verdict
        })
    }

    fn seal(
        recipient: &NoiseKey,
        _: &str,
        payload: &[u8],
        _: &mut Rng,
    ) -> Result<Vec<u8>, SealError> {
        Ok([recipient.as_bytes(), payload].concat())
    }

    fn open(identity: &Identity, _: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let ours = identity.noise_key();
        let payload = sealed.strip_prefix(ours.as_bytes());
        payload.map(<[u8]>::to_vec).ok_or(SealError::Refused)
    }
}

impl Settles for Open {
    fn settled(round_trip: u32, unordered: bool) -> OpenLink {
        OpenLink::settled(round_trip, unordered)
    }
}

/// A number over bytes, to find what was seen before; it is compared byte by byte then.
fn sum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let words = words.iter().map(|word| u64::from_le_bytes(*word));
    let all = words.chain(rest.iter().map(|byte| u64::from(*byte)));
    all.fold(0, |sum: u64, word| {
        (sum ^ word)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(23)
    })
}
