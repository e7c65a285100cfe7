//! What nodes say to each other over an established link.
//!
//! A message is one of a few kinds:
//! - *neighbours*, *watch*, *update*: between the two ends of a link only;
//! - *request*: travels over several links towards a place in the key space or a node, each hop
//!   remembering where it came from;
//! - *response*: goes back the way its request came, found by the request's id.
//!
//! Every kind has a class of the link, a cost in tokens and limits; [`Message::decode`] enforces the
//! limits, so that nothing above them ever reaches the rest of the node. Ids of requests are
//! random 64-bit numbers: guessing one that is on its way is not practical for anyone who does
//! not already see it pass.
//!
//! Encoding: postcard. All of it belongs to the protocol version of the link's handshake.

use nano_core::{Account, Block, BlockHash, Signature, UnixMillis};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::slice::MAX_WATCHED;
use crate::{
    Class, NodeId, NodeKey, PeerRecord, Point, Record, RecordError, RelayState, ResolveFailure,
    Role, Sighting,
};

/// Most peer records in one message.
pub(crate) const MAX_PEERS: usize = 24;
/// Most bytes of peer records in one message: leaves room below the control class' 16 KiB.
pub(crate) const MAX_PEER_BYTES: usize = 12 * 1024;
/// Most headers in one message.
pub(crate) const MAX_HEADERS: usize = 256;
/// Most records in one message.
pub(crate) const MAX_RECORDS: usize = 64;
/// Bytes of records in a bulk message before no more are added (one record always fits).
pub(crate) const BATCH_BYTES: usize = 64 * 1024;
/// Most bytes of records in an answer: a query message of 64 KiB with room for what is around.
pub(crate) const ANSWER_BYTES: usize = 61 * 1024;
/// Most bytes of a sealed signal.
pub(crate) const MAX_SEALED: usize = 12 * 1024;
/// Most further hops a request may be given.
pub(crate) const MAX_HOPS: u8 = 24;
/// Most forwards a request may be given in all.
pub(crate) const MAX_BUDGET: u8 = 32;

/// Bytes in a message, moved as a whole instead of one by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&[u8]>::deserialize(deserializer).map(|bytes| Self(bytes.to_vec()))
    }
}

/// A record in its binary form. A message stays readable if a record in it is not, so that the
/// one who brought it is refused by the record's own reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Packed(Bytes);

impl Packed {
    /// The binary form of a record.
    pub(crate) fn new(record: &Record) -> Self {
        Self::from_bytes(record.to_bytes())
    }

    /// Bytes that may be a record.
    pub(crate) const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(Bytes(bytes))
    }

    /// Its bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0.0
    }

    /// The record, if the bytes are one.
    pub(crate) fn open(&self) -> Result<Record, RecordError> {
        Record::from_bytes(self.as_bytes())
    }
}

/// One message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Message {
    /// Whom the sender is linked with now; replaces what it said before.
    Neighbours(Neighbours),
    /// A request on its way.
    Request(Box<Request>),
    /// An answer on its way back.
    Response(Box<Response>),
    /// To a bridge: the accounts whose new records this link wants; replaces the list before.
    Watch(Vec<Account>),
    /// From a bridge: new records of a watched account.
    Update(Vec<Packed>),
}

/// Whom a node is linked with. First-hand only: what others told it is not repeated, so that
/// nobody who is gone lives on as a rumour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Neighbours {
    /// Links to browsers it has.
    pub(crate) links: u16,
    /// Up to [`MAX_PEERS`] of its peers, those most useful to the receiver.
    pub(crate) peers: Vec<PeerRecord>,
}

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Target {
    /// To the node nearest to this place.
    Near(Point),
    /// To this node and no other.
    Exactly(NodeId),
}

impl Target {
    /// The place it lies at.
    pub(crate) const fn point(&self) -> Point {
        match self {
            Self::Near(point) => *point,
            Self::Exactly(id) => id.point(),
        }
    }
}

/// A request on its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Request {
    /// Random; the same on all paths of one question.
    pub(crate) id: u64,
    /// Where to.
    pub(crate) target: Target,
    /// Hops it may still make in a row.
    pub(crate) hops_left: u8,
    /// Forwards it may still cause in all, dead ends included.
    pub(crate) budget: u8,
    /// What is asked.
    pub(crate) body: Ask,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Ask {
    /// Which nodes lie nearest to the target? Everyone on the way back adds its own peers.
    FindNearest,
    /// The records of an account.
    Get {
        /// Whose.
        account: Account,
    },
    /// A sealed [`crate::signaling`] message for the target node.
    Signal {
        /// Readable by the target only.
        sealed: Bytes,
    },
    /// Keep these records. A [`Target::Near`] node also passes them to the other nodes that
    /// shall hold them.
    Put {
        /// What.
        records: Vec<Packed>,
        /// A bridge's word for them.
        voucher: Option<Voucher>,
    },
    /// `from` holds these records and thinks the target should too.
    Headers {
        /// Where to pull them from.
        from: NodeId,
        /// Their names.
        headers: Vec<Header>,
    },
    /// Send me these records of yours.
    Pull(Vec<Header>),
    /// To a bridge: ask the full nodes.
    Resolve {
        /// Whose.
        account: Account,
        /// The frontier the asker already has proven.
        held: Option<BlockHash>,
        /// What the bridge holds itself is not fresh enough.
        fresh: bool,
    },
    /// To a bridge: publish this block.
    Publish(Box<Block>),
}

/// The name of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Header {
    /// Under which account it is kept.
    pub(crate) account: Account,
    /// Frontier, or send block.
    pub(crate) hash: BlockHash,
    /// Whether it is a send to `account`.
    pub(crate) receivable: bool,
}

/// A bridge's word that records come from the network's confirmations and shall be kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Voucher {
    /// Who.
    pub(crate) bridge: NodeKey,
    /// When.
    pub(crate) at: UnixMillis,
    /// Over network, time and the hashes of the records.
    pub(crate) signature: Signature,
}

/// An answer on its way back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Response {
    /// The request's id.
    pub(crate) id: u64,
    /// Links it has come over, counted by those who pass it on.
    pub(crate) hops: u8,
    /// What is answered.
    pub(crate) body: Reply,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Reply {
    /// To find-nearest.
    Nearest(Vec<PeerRecord>),
    /// To get and resolve.
    Found(Box<Found>),
    /// To resolve: no statement can be made.
    Unresolved(ResolveFailure),
    /// To signal and headers: it arrived.
    Delivered,
    /// To put: how many nodes keep it as far as known.
    Stored(u8),
    /// To pull.
    Records(Vec<Packed>),
    /// To publish; may come several times.
    Progress(RelayState),
    /// To anything: this path ends without an answer.
    Failed {
        /// Why.
        why: Failure,
        /// What is left of the request's budget.
        budget: u8,
    },
}

/// Records of an account, as the holder has them; the asker verifies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Found {
    /// Who says so. A claim, for display only.
    pub(crate) by: NodeId,
    /// What it says it is.
    pub(crate) role: Role,
    /// Frontier records (two if their order is unknown) and receivables, largest first.
    pub(crate) records: Vec<Packed>,
    /// A statement that the account was never opened.
    pub(crate) unopened: Option<Sighting>,
}

/// Why a path ends without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Failure {
    /// Nobody on it holds the record, or the node asked for is not reachable.
    NotFound,
    /// The request was here before on another path.
    Seen,
    /// Too much to do; try another link.
    Busy,
    /// The node reached refuses it (not responsible, not a bridge, not vouched for).
    Refused,
}

/// Why bytes are not a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WireError {
    /// Not the encoding of any message.
    #[error("the bytes are not a message of this protocol version; drop the link")]
    Malformed,
    /// A message beyond its limits.
    #[error("a message carries more {what} than its kind allows; drop the link")]
    TooMany {
        /// Of what.
        what: &'static str,
    },
}

impl Message {
    /// The class of the link it travels in.
    pub(crate) const fn class(&self) -> Class {
        match self {
            Self::Neighbours(_) => Class::Control,
            Self::Watch(_) | Self::Update(_) => Class::Gossip,
            Self::Request(request) => match request.body {
                Ask::FindNearest | Ask::Signal { .. } => Class::Control,
                Ask::Get { .. } | Ask::Resolve { .. } | Ask::Publish(_) => Class::Query,
                Ask::Headers { .. } | Ask::Pull(_) => Class::Gossip,
                Ask::Put { .. } => Class::Bulk,
            },
            Self::Response(response) => match response.body {
                Reply::Nearest(_) | Reply::Delivered => Class::Control,
                Reply::Found(_)
                | Reply::Unresolved(_)
                | Reply::Progress(_)
                | Reply::Stored(_)
                | Reply::Failed { .. } => Class::Query,
                Reply::Records(_) => Class::Bulk,
            },
        }
    }

    /// What it costs its sender in tokens: roughly a tenth of a millisecond of a slow device each.
    /// Records cost what their verification takes; answers that were asked for cost nothing extra.
    pub(crate) fn cost(&self) -> u32 {
        match self {
            Self::Neighbours(said) => 2 + count(&said.peers),
            Self::Watch(_) => 10,
            Self::Update(records) => 2 + 4 * count(records),
            Self::Request(request) => match &request.body {
                Ask::FindNearest | Ask::Get { .. } | Ask::Pull(_) => 2,
                Ask::Signal { .. } => 3,
                Ask::Headers { .. } => 4,
                Ask::Put { records, .. } => 2 + 4 * count(records),
                Ask::Resolve { .. } | Ask::Publish(_) => 20,
            },
            Self::Response(_) => 1,
        }
    }

    /// The bytes on the link.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, WireError> {
        postcard::to_allocvec(self).map_err(|_| WireError::Malformed)
    }

    /// Reads a message that came in `class`.
    pub(crate) fn decode(class: Class, bytes: &[u8]) -> Result<Self, WireError> {
        let (message, rest) =
            postcard::take_from_bytes::<Self>(bytes).map_err(|_| WireError::Malformed)?;
        if !rest.is_empty() || message.class() != class {
            return Err(WireError::Malformed);
        }
        message.check()?;
        Ok(message)
    }

    /// Enforces the limits.
    fn check(&self) -> Result<(), WireError> {
        let (what, found, limit) = match self {
            Self::Neighbours(said) => ("peers", said.peers.len(), MAX_PEERS),
            Self::Watch(accounts) => ("accounts", accounts.len(), MAX_WATCHED),
            Self::Update(records) => ("records", records.len(), MAX_RECORDS),
            Self::Request(request) => {
                if request.hops_left > MAX_HOPS || request.budget > MAX_BUDGET {
                    return Err(WireError::TooMany { what: "hops" });
                }
                match &request.body {
                    Ask::Signal { sealed } => ("sealed bytes", sealed.0.len(), MAX_SEALED),
                    Ask::Put { records, .. } => ("records", records.len(), MAX_RECORDS),
                    Ask::Headers { headers, .. } | Ask::Pull(headers) => {
                        ("headers", headers.len(), MAX_HEADERS)
                    }
                    Ask::FindNearest | Ask::Get { .. } | Ask::Resolve { .. } | Ask::Publish(_) => {
                        return Ok(());
                    }
                }
            }
            Self::Response(response) => match &response.body {
                Reply::Nearest(peers) => ("peers", peers.len(), MAX_PEERS),
                Reply::Found(found) => ("records", found.records.len(), MAX_RECORDS),
                Reply::Records(records) => ("records", records.len(), MAX_RECORDS),
                _ => return Ok(()),
            },
        };
        if found > limit {
            return Err(WireError::TooMany { what });
        }
        Ok(())
    }
}

fn count<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).unwrap_or(u32::MAX)
}

/// As many of `records`, in order, as fit `bytes` and the limit of a message; at least one if
/// there is any.
pub(crate) fn fitting(records: impl IntoIterator<Item = Packed>, bytes: usize) -> Vec<Packed> {
    let mut taken = Vec::new();
    let mut used = 0;
    for record in records {
        used += record.as_bytes().len() + 4;
        if taken.len() >= MAX_RECORDS || (used > bytes && !taken.is_empty()) {
            break;
        }
        taken.push(record);
    }
    taken
}

/// As many of `peers`, in order, as fit a message.
pub(crate) fn fitting_peers(peers: impl IntoIterator<Item = PeerRecord>) -> Vec<PeerRecord> {
    let mut taken = Vec::new();
    let mut used = 0;
    for peer in peers {
        let addresses: usize = peer.addresses.iter().map(|a| a.as_str().len() + 2).sum();
        // Keys, nonce, signature and small fields of a record are 170 bytes at most.
        used += 170 + addresses;
        if taken.len() >= MAX_PEERS || used > MAX_PEER_BYTES {
            break;
        }
        taken.push(peer);
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Addresses, Identity, Rng};
    use nano_core::Network;
    use proptest::prelude::*;

    fn peers() -> impl Strategy<Value = Vec<PeerRecord>> {
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
            seeds.map(record).collect()
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
        let header = (account(), any::<[u8; 32]>(), any::<bool>()).prop_map(
            |(account, hash, receivable)| Header {
                account,
                hash: BlockHash::from_bytes(hash),
                receivable,
            },
        );
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

    fn ask() -> impl Strategy<Value = Ask> {
        prop_oneof![
            Just(Ask::FindNearest),
            account().prop_map(|account| Ask::Get { account }),
            proptest::collection::vec(any::<u8>(), 0..300).prop_map(|bytes| Ask::Signal {
                sealed: Bytes(bytes)
            }),
            (packed(), voucher()).prop_map(|(records, voucher)| Ask::Put { records, voucher }),
            (any::<[u8; 32]>(), headers()).prop_map(|(from, headers)| Ask::Headers {
                from: NodeId::from_bytes(from),
                headers
            }),
            headers().prop_map(Ask::Pull),
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
            packed().prop_map(Reply::Records),
            any::<u16>()
                .prop_map(|full_nodes| Reply::Progress(RelayState::Accepted { full_nodes })),
            any::<u8>().prop_map(|budget| Reply::Failed {
                why: Failure::Seen,
                budget
            }),
        ]
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
            (any::<u16>(), peers())
                .prop_map(|(links, peers)| Message::Neighbours(Neighbours { links, peers })),
            request,
            response,
            proptest::collection::vec(account(), 0..5).prop_map(Message::Watch),
            packed().prop_map(Message::Update),
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
        let record = Packed::from_bytes(vec![1]);
        let too_much = [
            Message::Watch(vec![account; MAX_WATCHED + 1]),
            Message::Update(vec![record.clone(); MAX_RECORDS + 1]),
            request(1, Ask::Pull(vec![header; MAX_HEADERS + 1])),
            request(MAX_HOPS + 1, Ask::FindNearest),
            request(
                1,
                Ask::Signal {
                    sealed: Bytes(vec![0; MAX_SEALED + 1]),
                },
            ),
            Message::Response(Box::new(Response {
                id: 1,
                hops: 1,
                body: Reply::Records(vec![record; MAX_RECORDS + 1]),
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
}
