use super::message::WireError;
use super::*;
use crate::gossip::NewsId;
use crate::routing::contact::Named;
use crate::routing::coordinates::Coordinates;
use crate::slice::MAX_WATCHED;
use crate::{
    Addresses, Class, Identity, NodeId, NodeKey, Point, RelayState, ResolveFailure, Rng, Role,
};
use nano_core::{Account, BlockHash, Network, Signature, UnixMillis};
use proptest::prelude::*;

fn peers() -> impl Strategy<Value = Vec<Named>> {
    proptest::collection::vec(any::<[u8; 32]>(), 0..3).prop_map(|seeds| {
        let seeds = seeds.into_iter();
        let record = |seed| {
            Identity::generate(&mut Rng::from_seed(seed)).peer_record(
                Role::Browser,
                Network::Dev,
                Addresses::default(),
                UnixMillis(5),
            )
        };
        let named = |record| {
            let at = Coordinates::default();
            Named { record, at }
        };
        seeds.map(record).map(named).collect()
    })
}

fn packed() -> impl Strategy<Value = Vec<Packed>> {
    let bytes = proptest::collection::vec(any::<u8>(), 0..300);
    proptest::collection::vec(bytes.prop_map(Packed::from_bytes), 0..4)
}

fn account() -> impl Strategy<Value = Account> {
    any::<[u8; 32]>().prop_map(Account::from_bytes)
}

fn headers() -> impl Strategy<Value = Vec<Header>> {
    let header =
        (account(), any::<[u8; 32]>(), any::<bool>()).prop_map(|(account, hash, receivable)| {
            Header {
                account,
                hash: BlockHash::from_bytes(hash),
                receivable,
            }
        });
    proptest::collection::vec(header, 0..5)
}

fn voucher() -> impl Strategy<Value = Option<Voucher>> {
    proptest::option::of(
        (any::<[u8; 32]>(), any::<u64>(), any::<[u8; 32]>()).prop_map(|(bridge, at, half)| {
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(&half);
            Voucher {
                bridge: NodeKey::from_bytes(bridge),
                at: UnixMillis(at),
                signature: Signature::from_bytes(signature),
            }
        }),
    )
}

fn keys() -> impl Strategy<Value = KeyRange> {
    any::<(u64, u64)>().prop_map(|(first, last)| KeyRange { first, last })
}

fn holder() -> impl Strategy<Value = Holder> {
    any::<([u8; 32], [u64; 3])>().prop_map(|(id, near)| Holder {
        id: NodeId::from_bytes(id),
        near: near.to_vec(),
    })
}

fn bytes() -> impl Strategy<Value = Bytes> {
    proptest::collection::vec(any::<u8>(), 0..300).prop_map(Bytes)
}

fn ask() -> impl Strategy<Value = Ask> {
    prop_oneof![
        Just(Ask::FindNearest),
        account().prop_map(|account| Ask::Get { account }),
        proptest::collection::vec(any::<u8>(), 0..300).prop_map(|bytes| Ask::Signal {
            carriers: Role::Browser,
            sealed: Bytes(bytes)
        }),
        (packed(), voucher()).prop_map(|(records, voucher)| Ask::Put { records, voucher }),
        (any::<[u8; 32]>(), any::<bool>(), headers()).prop_map(|(from, newer, headers)| {
            Ask::Headers {
                from: NodeId::from_bytes(from),
                newer,
                headers,
            }
        }),
        (keys(), headers()).prop_map(|(keys, headers)| Ask::Pull {
            keys,
            which: Wanted::Named(headers.iter().map(Header::name).collect()),
        }),
        (keys(), holder()).prop_map(|(keys, holder)| Ask::Pull {
            keys,
            which: Wanted::SliceOf(holder),
        }),
        (keys(), holder(), bytes()).prop_map(|(keys, from, sketch)| Ask::Compare {
            from,
            keys,
            sketch,
        }),
        (
            account(),
            proptest::option::of(any::<[u8; 32]>()),
            any::<bool>()
        )
            .prop_map(|(account, held, fresh)| Ask::Resolve {
                account,
                held: held.map(BlockHash::from_bytes),
                fresh
            }),
    ]
}

fn reply() -> impl Strategy<Value = Reply> {
    prop_oneof![
        peers().prop_map(Reply::Nearest),
        (any::<[u8; 32]>(), packed()).prop_map(|(by, records)| Reply::Found(Box::new(Found {
            by: NodeId::from_bytes(by),
            role: Role::Bridge,
            records,
            unopened: None
        }))),
        Just(Reply::Unresolved(ResolveFailure::TooFewVotes)),
        Just(Reply::Delivered),
        any::<u8>().prop_map(Reply::Stored),
        (packed(), any::<Option<u64>>()).prop_map(|(records, next)| Reply::Records {
            records: Chunk::pack(&records),
            next,
        }),
        bytes().prop_map(Reply::Compared),
        any::<u16>().prop_map(|full_nodes| Reply::Progress(RelayState::Accepted { full_nodes })),
        any::<u8>().prop_map(|budget| Reply::Failed {
            why: Failure::Seen,
            budget
        }),
    ]
}

fn pushed() -> impl Strategy<Value = Vec<Pushed>> {
    let body = proptest::collection::vec(any::<u8>(), 0..300);
    let pushed = (any::<u8>(), any::<u8>(), any::<u8>(), body);
    let pushed = pushed.prop_map(|(depth, rank, hops, body)| Pushed {
        depth,
        rank,
        hops,
        body: Bytes(body),
    });
    proptest::collection::vec(pushed, 0..4)
}

fn ids() -> impl Strategy<Value = Vec<NewsId>> {
    proptest::collection::vec(any::<u64>().prop_map(NewsId), 0..9)
}

fn message() -> impl Strategy<Value = Message> {
    let request = (any::<u64>(), any::<[u8; 32]>(), any::<bool>(), ask()).prop_map(
        |(id, target, near, body)| {
            Message::Request(Box::new(Request {
                id,
                target: if near {
                    Target::Near(Point::from_bytes(target))
                } else {
                    Target::Exactly(NodeId::from_bytes(target))
                },
                hops_left: MAX_HOPS,
                budget: MAX_BUDGET,
                body,
            }))
        },
    );
    let response = (any::<u64>(), any::<u8>(), reply())
        .prop_map(|(id, hops, body)| Message::Response(Box::new(Response { id, hops, body })));
    prop_oneof![
        (any::<u16>(), peers()).prop_map(|(links, peers)| {
            let gone = peers.iter().map(|named| named.record.node_id()).collect();
            let at = Coordinates::default();
            Message::Neighbours(Neighbours {
                links,
                at,
                peers,
                gone,
            })
        }),
        request,
        response,
        proptest::collection::vec(account(), 0..5).prop_map(Message::Watch),
        packed().prop_map(Message::Update),
        pushed().prop_map(Message::News),
        ids().prop_map(Message::Have),
        ids().prop_map(Message::Want),
        any::<bool>().prop_map(Message::Announce),
        proptest::collection::vec(any::<u8>(), 0..300)
            .prop_map(|bytes| Message::CatchUp(Bytes(bytes))),
    ]
}

proptest! {
    #[test]
    fn every_message_survives_the_wire_and_its_class_limit(message in message()) {
        let bytes = message.encode().unwrap();
        prop_assert!(bytes.len() <= message.class().message_limit() as usize);
        prop_assert_eq!(Message::decode(message.class(), &bytes), Ok(message));
    }

    #[test]
    fn a_message_in_the_wrong_class_is_refused(message in message()) {
        let bytes = message.encode().unwrap();
        for class in Class::ALL.into_iter().filter(|class| *class != message.class()) {
            prop_assert_eq!(Message::decode(class, &bytes), Err(WireError::Malformed));
        }
    }

    #[test]
    fn any_bytes_are_a_message_or_refused(
        class in 0_usize..4, bytes in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        let class = Class::ALL[class];
        if let Ok(message) = Message::decode(class, &bytes) {
            prop_assert_eq!(message.class(), class);
        }
    }

    #[test]
    fn a_cut_or_longer_message_is_refused(message in message(), cut in 0_usize..1000) {
        let mut bytes = message.encode().unwrap();
        let class = message.class();
        prop_assert!(Message::decode(class, &bytes[..cut % bytes.len()]).is_err());
        bytes.push(0);
        prop_assert!(Message::decode(class, &bytes).is_err());
    }
}

#[test]
fn more_than_a_message_may_carry_is_refused() {
    let account = Account::from_bytes([1; 32]);
    let hash = BlockHash::from_bytes([2; 32]);
    let header = Header {
        account,
        hash,
        receivable: false,
    };
    let request = |hops_left, body| {
        Message::Request(Box::new(Request {
            id: 1,
            target: Target::Near(Point::from_bytes([0; 32])),
            hops_left,
            budget: 1,
            body,
        }))
    };
    let holder = |near| Holder {
        id: NodeId::from_bytes([1; 32]),
        near: vec![0; near],
    };
    let record = Packed::from_bytes(vec![1]);
    let too_much = [
        Message::Watch(vec![account; MAX_WATCHED + 1]),
        Message::Update(vec![record.clone(); MAX_RECORDS + 1]),
        Message::Have(vec![NewsId(1); MAX_IDS + 1]),
        Message::Want(vec![NewsId(1); MAX_IDS + 1]),
        Message::CatchUp(Bytes(vec![0; MAX_FILTER + 1])),
        request(
            1,
            Ask::Headers {
                from: NodeId::from_bytes([1; 32]),
                newer: false,
                headers: vec![header; MAX_HEADERS + 1],
            },
        ),
        request(
            1,
            Ask::Pull {
                keys: KeyRange { first: 0, last: 1 },
                which: Wanted::Named(vec![header.name(); MAX_HEADERS + 1]),
            },
        ),
        request(
            1,
            Ask::Compare {
                from: holder(0),
                keys: KeyRange { first: 0, last: 1 },
                sketch: Bytes(vec![0; MAX_SKETCH + 1]),
            },
        ),
        request(
            1,
            Ask::Compare {
                from: holder(MAX_NEAR + 1),
                keys: KeyRange { first: 0, last: 1 },
                sketch: Bytes(Vec::new()),
            },
        ),
        request(
            1,
            Ask::Pull {
                keys: KeyRange { first: 0, last: 1 },
                which: Wanted::SliceOf(holder(MAX_NEAR + 1)),
            },
        ),
        request(MAX_HOPS + 1, Ask::FindNearest),
        request(
            1,
            Ask::Signal {
                carriers: Role::Bridge,
                sealed: Bytes(vec![0; MAX_SEALED + 1]),
            },
        ),
        Message::Response(Box::new(Response {
            id: 1,
            hops: 1,
            body: Reply::Compared(Bytes(vec![0; MAX_SKETCH + 1])),
        })),
    ];
    for message in too_much {
        let bytes = message.encode().unwrap();
        let decoded = Message::decode(message.class(), &bytes);
        assert!(matches!(decoded, Err(WireError::TooMany { .. })));
    }
}

#[test]
fn answers_are_filled_up_to_their_bytes_and_never_empty() {
    let record = |length| Packed::from_bytes(vec![0; length]);
    assert_eq!(fitting([record(90), record(90), record(90)], 200).len(), 2);
    assert_eq!(fitting([record(9_000)], 200).len(), 1);
    assert_eq!(fitting(vec![record(1); 500], 1 << 20).len(), MAX_RECORDS);
    assert!(fitting([], 200).is_empty());
}
