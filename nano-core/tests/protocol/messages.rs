//! Every message is read back as it was written, and no bytes make the reader panic.

use nano_core::message::{
    AccountInfo, AscPullAck, AscPullAnswer, AscPullQuestion, AscPullReq, ConfirmAck, ConfirmReq,
    Cookie, Frontier, HandshakeResponse, Header, Keepalive, LegacyBootstrap, MAX_PAYLOAD, Message,
    MessageType, NodeIdHandshake, PeerEndpoint, Publish, PullTarget, RequestedBlock, Telemetry,
    TelemetryAck,
};
use nano_core::{
    Account, Block, BlockHash, BlockType, Difficulty, Network, PrivateKey, PublicKey, Root,
    Signature, UnixMillis, Vote, VoteTimestamp,
};
use proptest::prelude::*;

fn nonzero() -> impl Strategy<Value = [u8; 32]> {
    any::<[u8; 32]>().prop_filter("not zero", |bytes| *bytes != [0; 32])
}

fn signatures() -> impl Strategy<Value = Signature> {
    any::<[[u8; 32]; 2]>().prop_map(|halves| {
        let mut bytes = [0; 64];
        bytes.copy_from_slice(halves.as_flattened());
        Signature::from_bytes(bytes)
    })
}

fn blocks() -> impl Strategy<Value = Block> {
    let kinds = prop::sample::select(&BlockType::ALL[..]);
    (kinds, prop::collection::vec(any::<u8>(), 216))
        .prop_map(|(kind, bytes)| Block::parse(kind, &bytes[..kind.size()]).unwrap())
}

fn targets() -> impl Strategy<Value = PullTarget> {
    (nonzero(), any::<bool>()).prop_map(|(bytes, account)| {
        if account {
            PullTarget::Account(Account::from_bytes(bytes))
        } else {
            PullTarget::Block(BlockHash::from_bytes(bytes))
        }
    })
}

fn keepalives() -> impl Strategy<Value = Message> {
    prop::array::uniform8((any::<u128>(), any::<u16>())).prop_map(|peers| {
        Keepalive {
            peers: peers.map(|(address, port)| PeerEndpoint {
                address: address.into(),
                port,
            }),
        }
        .into()
    })
}

fn votes() -> impl Strategy<Value = Message> {
    let hashes = prop::collection::vec(any::<[u8; 32]>(), 1..=255);
    (nonzero(), signatures(), any::<u64>(), hashes, any::<bool>()).prop_map(
        |(representative, signature, time, hashes, rebroadcast)| {
            let vote = Vote {
                representative: Account::from_bytes(representative),
                signature,
                timestamp: VoteTimestamp::from_packed(time),
                hashes: hashes.into_iter().map(BlockHash::from_bytes).collect(),
            };
            ConfirmAck { vote, rebroadcast }.into()
        },
    )
}

fn questions_for_votes() -> impl Strategy<Value = Message> {
    prop::collection::vec((any::<[u8; 32]>(), nonzero()), 1..=255).prop_map(|pairs| {
        let blocks = pairs
            .into_iter()
            .map(|(hash, root)| RequestedBlock {
                hash: BlockHash::from_bytes(hash),
                root: Root::from_bytes(root),
            })
            .collect();
        ConfirmReq { blocks }.into()
    })
}

fn handshakes() -> impl Strategy<Value = Message> {
    let response = (
        any::<[u8; 32]>(),
        any::<[u8; 32]>(),
        any::<[u8; 32]>(),
        signatures(),
    );
    (0..5_u8, any::<[u8; 32]>(), response).prop_map(
        |(form, cookie, (node_id, salt, genesis, signature))| {
            let cookie = Cookie::from_bytes(cookie);
            let node_id = PublicKey::from_bytes(node_id);
            let old = HandshakeResponse::V1 { node_id, signature };
            let new = HandshakeResponse::V2 {
                node_id,
                salt,
                genesis: BlockHash::from_bytes(genesis),
                signature,
            };
            match form {
                0 => NodeIdHandshake::query(cookie),
                1 => NodeIdHandshake::response(old),
                2 => NodeIdHandshake::response(new),
                3 => NodeIdHandshake::response_and_query(old, cookie),
                _ => NodeIdHandshake::response_and_query(new, cookie),
            }
            .into()
        },
    )
}

fn telemetry() -> impl Strategy<Value = Telemetry> {
    let tail = prop::collection::vec(any::<u8>(), 0..=821);
    (
        any::<[u64; 8]>(),
        any::<u32>(),
        any::<[u8; 6]>(),
        any::<[u8; 32]>(),
        tail,
    )
        .prop_map(
            |(numbers, peer_count, versions, genesis, unknown)| Telemetry {
                signature: Signature::ZERO,
                node_id: PrivateKey::from_bytes([3; 32]).public_key(),
                block_count: numbers[0],
                cemented_count: numbers[1],
                unchecked_count: numbers[2],
                account_count: numbers[3],
                bandwidth_cap: numbers[4],
                peer_count,
                protocol_version: versions[0],
                uptime: numbers[5],
                genesis: BlockHash::from_bytes(genesis),
                major_version: versions[1],
                minor_version: versions[2],
                patch_version: versions[3],
                pre_release_version: versions[4],
                maker: versions[5],
                timestamp: UnixMillis::new(numbers[6]),
                active_difficulty: Difficulty::new(numbers[7]),
                unknown,
            },
        )
}

fn pulls() -> impl Strategy<Value = Message> {
    let question = prop_oneof![
        (targets(), 1..=128_u8).prop_map(|(start, count)| AscPullQuestion::Blocks { start, count }),
        targets().prop_map(|target| AscPullQuestion::AccountInfo { target }),
        (any::<[u8; 32]>(), 1..=1000_u16).prop_map(|(start, count)| {
            AscPullQuestion::Frontiers {
                start: Account::from_bytes(start),
                count,
            }
        }),
    ];
    (any::<u64>(), question).prop_map(|(id, question)| AscPullReq { id, question }.into())
}

fn answers() -> impl Strategy<Value = Message> {
    let info = (any::<[[u8; 32]; 4]>(), any::<[u64; 2]>()).prop_map(|(fields, numbers)| {
        AscPullAnswer::AccountInfo(AccountInfo {
            account: Account::from_bytes(fields[0]),
            open: BlockHash::from_bytes(fields[1]),
            head: BlockHash::from_bytes(fields[2]),
            block_count: numbers[0],
            confirmed_frontier: BlockHash::from_bytes(fields[3]),
            confirmed_height: numbers[1],
        })
    });
    let frontiers =
        prop::collection::vec((nonzero(), any::<[u8; 32]>()), 0..40).prop_map(|pairs| {
            let frontiers = pairs
                .into_iter()
                .map(|(account, hash)| Frontier {
                    account: Account::from_bytes(account),
                    hash: BlockHash::from_bytes(hash),
                })
                .collect();
            AscPullAnswer::Frontiers(frontiers)
        });
    let blocks = prop::collection::vec(blocks(), 0..12).prop_map(AscPullAnswer::Blocks);
    (any::<u64>(), prop_oneof![info, frontiers, blocks])
        .prop_map(|(id, answer)| AscPullAck { id, answer }.into())
}

fn legacy_bootstrap() -> impl Strategy<Value = Message> {
    prop::sample::select(vec![
        (MessageType::BulkPull, 0_u16, 64_usize),
        (MessageType::BulkPull, 1, 72),
        (MessageType::BulkPush, 0, 0),
        (MessageType::FrontierReq, 2, 40),
        (MessageType::BulkPullAccount, 0, 49),
    ])
    .prop_map(|(message_type, extensions, length)| {
        LegacyBootstrap {
            message_type,
            extensions,
            payload: vec![7; length],
        }
        .into()
    })
}

fn messages() -> impl Strategy<Value = Message> {
    prop_oneof![
        keepalives(),
        (blocks(), any::<bool>())
            .prop_map(|(block, originator)| Publish { block, originator }.into()),
        questions_for_votes(),
        votes(),
        handshakes(),
        Just(Message::TelemetryReq),
        prop::option::of(telemetry()).prop_map(|telemetry| TelemetryAck { telemetry }.into()),
        pulls(),
        answers(),
        legacy_bootstrap(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_is_written_is_read_back(
        message in messages(),
        network in prop::sample::select(&Network::ALL[..]),
    ) {
        let bytes = message.encode(network).unwrap();
        let (header, read) = Message::decode(&bytes).unwrap();
        prop_assert_eq!(header.network, network);
        prop_assert_eq!(header.message_type, message.message_type());
        prop_assert_eq!(header.payload_length(), Ok(bytes.len() - Header::SIZE));
        prop_assert_eq!(read, message);
    }

    #[test]
    fn damaged_messages_are_answered_not_panicked_on(
        message in messages(),
        position: prop::sample::Index,
        value: u8,
        length: prop::sample::Index,
    ) {
        let mut bytes = message.encode(Network::Dev).unwrap();
        let position = position.index(bytes.len());
        bytes[position] = value;
        if let Ok((header, read)) = Message::decode(&bytes) {
            let again = read.encode(header.network).unwrap();
            prop_assert_eq!(Message::decode(&again).unwrap().1, read);
        }
        bytes.truncate(length.index(bytes.len()));
        let _ = Message::decode(&bytes);
    }

    #[test]
    fn a_header_is_written_as_it_was_read_and_tells_a_bounded_length(bytes: [u8; 8]) {
        if let Ok(header) = Header::parse(&bytes) {
            prop_assert_eq!(header.to_bytes(), bytes);
            if let Ok(length) = header.payload_length() {
                prop_assert!(length <= MAX_PAYLOAD);
            }
        }
    }

    #[test]
    fn any_payload_after_a_valid_header_is_answered(
        kind in prop::sample::select(&MessageType::ALL[..]),
        extensions: u16,
        fill: u8,
        start in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let header = Header::new(Network::Live, kind, extensions);
        if let Ok(length) = header.payload_length() {
            let mut payload = start;
            payload.resize(length, fill);
            let _ = Message::parse(&header, &payload);
        }
    }

    #[test]
    fn telemetry_is_signed_over_fields_of_the_future_too(
        telemetry in telemetry(),
        position: prop::sample::Index,
    ) {
        let signed = telemetry.sign(&PrivateKey::from_bytes([3; 32]));
        prop_assert_eq!(signed.verify(), Ok(()));
        let mut bytes = Message::from(TelemetryAck { telemetry: Some(signed) })
            .encode(Network::Dev)
            .unwrap();
        let position = 72 + position.index(bytes.len() - 72);
        bytes[position] ^= 1;
        let Ok((_, Message::TelemetryAck(TelemetryAck { telemetry: Some(damaged) }))) =
            Message::decode(&bytes)
        else {
            panic!("telemetry has no invalid values");
        };
        prop_assert!(damaged.verify().is_err());
    }
}
