//! Binary and JSON forms: stable, canonical, and safe against any input.

use nano_core::proof::{
    BalanceProof, Certificate, CertificateVote, Frontier, History, MAX_PROOF_BYTES,
    MAX_PROOF_JSON_BYTES, ProofError, ReceivableProof, SourceSend, VoteList,
};
use nano_core::{
    Account, Block, BlockHash, BlockType, Network, Signature, StateBlock, VoteTimestamp,
};
use proptest::prelude::*;

use crate::world::*;

#[test]
fn the_binary_form_is_laid_out_as_documented() {
    let proof = state_proof();
    let bytes = proof.to_bytes().unwrap();
    let votes = &proof.certificate.votes;
    assert_eq!(bytes[..4], [1, 0, b'R', b'A']);
    assert_eq!(bytes[4..220], *Block::from(state_block()).serialized());
    assert_eq!(bytes[220..224], [0, 1, 0, 3]);
    assert_eq!(bytes[224..256], *hash(7).as_bytes());
    assert_eq!(bytes[320..323], [0, u8::try_from(votes.len()).unwrap(), 0]);
    assert_eq!(bytes[323..355], *votes[0].representative.as_bytes());
    assert_eq!(bytes[355..419], *votes[0].signature.as_bytes());
    assert_eq!(bytes.len(), 322 + 97 * votes.len());
}

#[test]
fn the_json_form_reads_as_documented() {
    let proof = state_proof();
    let json: serde_json::Value = serde_json::from_str(&proof.to_json().unwrap()).unwrap();
    assert_eq!(json["version"], 1);
    assert_eq!(json["network"], "dev");
    assert_eq!(json["hash"], state_block().hash().to_string());
    assert_eq!(json["frontier"]["type"], "state");
    assert_eq!(json["frontier"]["block"]["account"], account().to_string());
    assert_eq!(json["certificate"]["lists"][0]["timestamp"], "final");
    assert_eq!(json["certificate"]["votes"][0]["list"], 0);
    assert_eq!(BalanceProof::from_json(&json.to_string()), Ok(proof));
}

#[test]
fn json_with_a_wrong_hash_is_refused() {
    let proof = state_proof();
    let mut json: serde_json::Value = serde_json::from_str(&proof.to_json().unwrap()).unwrap();
    json["hash"] = hash(1).to_string().into();
    let found = BalanceProof::from_json(&json.to_string()).unwrap_err();
    assert_eq!(found.reason(), "wrong-hash");
}

#[test]
fn json_with_unknown_fields_or_other_types_is_refused() {
    let json = state_proof().to_json().unwrap();
    for (from, to) in [
        ("\"version\": 1", "\"version\": 1, \"note\": \"x\""),
        (
            "\"type\": \"state\",",
            "\"type\": \"state\", \"history\": {},",
        ),
        ("\"list\": 0", "\"list\": -1"),
        ("\"final\"", "\"18446744073709551615\""),
    ] {
        assert!(json.contains(from), "{from}");
        let found = BalanceProof::from_json(&json.replacen(from, to, 1)).unwrap_err();
        assert!(matches!(found, ProofError::Json(_)), "{found}");
    }
    let newer = json.replace("\"version\": 1", "\"version\": 2");
    assert_eq!(
        BalanceProof::from_json(&newer),
        Err(ProofError::UnknownVersion(2))
    );
}

#[test]
fn damaged_bytes_are_refused_with_the_reason() {
    let bytes = state_proof().to_bytes().unwrap();
    let with = |place: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[place] = byte;
        BalanceProof::from_bytes(&bytes)
    };
    assert_eq!(with(0, 2), Err(ProofError::UnknownVersion(2)));
    assert_eq!(
        with(1, 3),
        Err(ProofError::Malformed("not the kind of a balance proof"))
    );
    assert_eq!(with(3, 0), Err(ProofError::Malformed("an unknown network")));
    assert_eq!(with(222, 2).unwrap_err().reason(), "malformed");
    assert_eq!(with(223, 0).unwrap_err().reason(), "malformed");
    assert_eq!(
        with(322, 1),
        Err(ProofError::Malformed("a vote points at no list"))
    );
    for length in 0..bytes.len() {
        let found = BalanceProof::from_bytes(&bytes[..length]).unwrap_err();
        assert_eq!(found.reason(), "malformed", "{length}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert_eq!(
        BalanceProof::from_bytes(&longer),
        Err(ProofError::Malformed("bytes are left over"))
    );
    assert_eq!(
        ReceivableProof::from_bytes(&bytes).unwrap_err().reason(),
        "malformed"
    );
}

#[test]
fn a_final_time_written_the_long_way_is_refused() {
    let mut proof = state_proof();
    proof.certificate.lists[0].timestamp = VoteTimestamp::from_packed(5);
    let mut bytes = proof.to_bytes().unwrap();
    assert_eq!(bytes[222], 1);
    bytes[223..231].fill(0xff);
    assert_eq!(
        BalanceProof::from_bytes(&bytes).unwrap_err().reason(),
        "malformed"
    );
}

#[test]
fn too_large_is_refused_before_anything_else() {
    let found = BalanceProof::from_bytes(&vec![1; MAX_PROOF_BYTES + 1]);
    assert_eq!(found.unwrap_err().reason(), "too-large");
    let found = BalanceProof::from_json(&" ".repeat(MAX_PROOF_JSON_BYTES + 1));
    assert_eq!(found.unwrap_err().reason(), "too-large");

    let mut proof = state_proof();
    let list = VoteList {
        timestamp: VoteTimestamp::FINAL,
        hashes: vec![hash(1); 255],
    };
    proof.certificate.lists = vec![list; 8];
    proof.certificate.votes = (0..8)
        .map(|list| CertificateVote {
            representative: key(list + 1).account(),
            signature: Signature::ZERO,
            list,
        })
        .collect();
    assert_eq!(proof.to_bytes().unwrap_err().reason(), "too-large");
    assert_eq!(refusal(&proof), "too-large");
}

#[test]
fn lists_out_of_bounds_are_refused_everywhere() {
    let mut unused = state_proof();
    unused
        .certificate
        .lists
        .push(unused.certificate.lists[0].clone());
    let mut empty = state_proof();
    empty.certificate.lists[0].hashes.clear();
    let mut long = state_proof();
    long.certificate.lists[0].hashes = vec![state_block().hash(); 256];
    let mut dangling = state_proof();
    dangling.certificate.votes[0].list = 255;
    for proof in [unused, empty, long, dangling] {
        assert_eq!(refusal(&proof), "malformed");
        assert_eq!(proof.to_bytes().unwrap_err().reason(), "malformed");
        assert_eq!(proof.to_json().unwrap_err().reason(), "malformed");
    }
}

fn blocks() -> impl Strategy<Value = Block> {
    (
        prop::sample::select(&BlockType::ALL[..]),
        prop::array::uniform32(any::<[u8; 7]>()),
    )
        .prop_map(|(kind, bytes)| Block::parse(kind, &bytes.as_flattened()[..kind.size()]).unwrap())
}

fn state_blocks() -> impl Strategy<Value = StateBlock> {
    blocks().prop_filter_map("a state block", |block| match block {
        Block::State(block) => Some(block),
        _ => None,
    })
}

prop_compose! {
    fn histories()(
        blocks in prop::collection::vec(blocks(), 0..6),
        sources in prop::collection::vec((blocks(), prop::collection::vec(blocks(), 0..3)), 0..3),
    ) -> History {
        let sources = sources
            .into_iter()
            .map(|(send, before)| SourceSend { send, before })
            .collect();
        History { blocks, sources }
    }
}

prop_compose! {
    fn certificates()(
        lists in prop::collection::vec(
            (any::<Option<u64>>(), prop::collection::vec(any::<[u8; 32]>(), 1..9)),
            0..4,
        ),
        votes in prop::collection::vec((any::<[u8; 32]>(), any::<u8>(), any::<u8>()), 4..12),
    ) -> Certificate {
        let lists: Vec<_> = lists
            .into_iter()
            .map(|(time, hashes)| VoteList {
                timestamp: time.map_or(VoteTimestamp::FINAL, VoteTimestamp::from_packed),
                hashes: hashes.into_iter().map(BlockHash::from_bytes).collect(),
            })
            .collect();
        // The first votes make sure that every list is used.
        let votes = if lists.is_empty() { vec![] } else { votes };
        let votes = votes
            .into_iter()
            .enumerate()
            .map(|(index, (representative, signature, list))| {
                let list = if index < lists.len() { index } else { usize::from(list) % lists.len() };
                CertificateVote {
                    representative: Account::from_bytes(representative),
                    signature: Signature::from_bytes([signature; 64]),
                    list: u8::try_from(list).unwrap(),
                }
            })
            .collect();
        Certificate { lists, votes }
    }
}

fn frontiers() -> impl Strategy<Value = Frontier> {
    prop_oneof![
        state_blocks().prop_map(Frontier::State),
        (state_blocks(), histories())
            .prop_map(|(block, history)| Frontier::Epoch { block, history }),
        histories().prop_map(Frontier::Legacy),
    ]
}

prop_compose! {
    fn balance_proofs()(
        network in prop::sample::select(&Network::ALL[..]),
        frontier in frontiers(),
        certificate in certificates(),
    ) -> BalanceProof {
        BalanceProof { network, frontier, certificate }
    }
}

prop_compose! {
    fn receivable_proofs()(
        network in prop::sample::select(&Network::ALL[..]),
        send in blocks(),
        history in histories(),
        certificate in certificates(),
    ) -> ReceivableProof {
        ReceivableProof { network, send, history, certificate }
    }
}

/// Changes one bit, or cuts the end off.
fn damage(bytes: &mut Vec<u8>, position: prop::sample::Index, bit: u8) {
    let position = position.index(bytes.len());
    if bit == 8 {
        bytes.truncate(position);
    } else {
        bytes[position] ^= 1 << bit;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn both_forms_give_a_balance_proof_back(proof in balance_proofs()) {
        let bytes = proof.to_bytes().unwrap();
        prop_assert_eq!(BalanceProof::from_bytes(&bytes), Ok(proof.clone()));
        let json = proof.to_json().unwrap();
        prop_assert_eq!(BalanceProof::from_json(&json), Ok(proof));
    }

    #[test]
    fn both_forms_give_a_receivable_proof_back(proof in receivable_proofs()) {
        let bytes = proof.to_bytes().unwrap();
        prop_assert_eq!(ReceivableProof::from_bytes(&bytes), Ok(proof.clone()));
        let json = proof.to_json().unwrap();
        prop_assert_eq!(ReceivableProof::from_json(&json), Ok(proof));
    }

    #[test]
    fn inside_other_formats_a_proof_is_its_own_form(
        balance in balance_proofs(),
        receivable in receivable_proofs(),
    ) {
        let bytes = postcard::to_allocvec(&(&balance, &receivable)).unwrap();
        let own = balance.to_bytes().unwrap();
        prop_assert!(bytes.windows(own.len()).any(|window| window == own));
        let both: (BalanceProof, ReceivableProof) = postcard::from_bytes(&bytes).unwrap();
        prop_assert_eq!(&both, &(balance.clone(), receivable.clone()));
        let json = serde_json::to_string(&(balance, receivable)).unwrap();
        prop_assert_eq!(serde_json::from_str::<(BalanceProof, ReceivableProof)>(&json).unwrap(), both);
    }

    #[test]
    fn accepted_bytes_are_written_again_as_they_were(
        balance in balance_proofs(),
        receivable in receivable_proofs(),
        position: prop::sample::Index,
        bit in 0..=8_u8,
    ) {
        let mut bytes = balance.to_bytes().unwrap();
        damage(&mut bytes, position, bit);
        if let Ok(read) = BalanceProof::from_bytes(&bytes) {
            prop_assert_eq!(read.to_bytes(), Ok(bytes));
        }
        let mut bytes = receivable.to_bytes().unwrap();
        damage(&mut bytes, position, bit);
        if let Ok(read) = ReceivableProof::from_bytes(&bytes) {
            prop_assert_eq!(read.to_bytes(), Ok(bytes));
        }
    }

    #[test]
    fn arbitrary_input_is_answered_not_panicked_on(bytes: Vec<u8>, text: String) {
        let _ = BalanceProof::from_bytes(&bytes);
        let _ = ReceivableProof::from_bytes(&bytes);
        let _ = BalanceProof::from_json(&text);
        let _ = ReceivableProof::from_json(&text);
    }

    #[test]
    fn a_proof_of_random_parts_never_holds(
        proof in balance_proofs(),
        receivable in receivable_proofs(),
    ) {
        let network = Network::Dev;
        let weights = table();
        prop_assert!(proof.verify(&proof.account(), network, &weights).is_err());
        let destination = receivable.destination().unwrap_or_default();
        prop_assert!(receivable.verify(&destination, network, &weights).is_err());
    }
}
