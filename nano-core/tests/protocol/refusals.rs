//! What is not a message is refused with the reason, read or written.

use nano_core::message::{
    AscPullAck, AscPullAnswer, AscPullQuestion, AscPullReq, ConfirmAck, ConfirmReq, Cookie,
    Frontier, HandshakeResponse, Header, Message, MessageError, MessageType, NodeIdHandshake,
    PullTarget, RequestedBlock,
};
use nano_core::{Account, BlockHash, Network, PrivateKey, Root, Signature, Vote, VoteTimestamp};

fn decode(kind: MessageType, extensions: u16, payload: &[u8]) -> Result<Message, MessageError> {
    Message::parse(&Header::new(Network::Dev, kind, extensions), payload)
}

fn header(bytes: [u8; 8]) -> Result<Header, MessageError> {
    Header::parse(&bytes)
}

#[test]
fn headers_that_close_a_connection_say_why() {
    assert_eq!(
        header(*b"RQ\x15\x15\x14\x02\0\0"),
        Err(MessageError::UnknownNetwork(*b"RQ"))
    );
    assert_eq!(
        header(*b"RA\x15\x13\x13\x02\0\0"),
        Err(MessageError::OldVersion(0x13))
    );
    assert_eq!(
        header(*b"RA\x15\x15\x14\x09\0\0"),
        Err(MessageError::UnknownType(9))
    );
    assert_eq!(
        Message::decode(b"RA").unwrap_err(),
        MessageError::HeaderLength(2)
    );
    let newer = header(*b"RA\x16\x16\x14\x02\0\0").unwrap();
    assert_eq!(newer.version_using, 0x16);
}

#[test]
fn lengths_beyond_the_limit_are_refused_before_the_payload_is_awaited() {
    let most = Header::new(Network::Dev, MessageType::AscPullAck, u16::MAX);
    assert_eq!(most.payload_length(), Ok(65_544));
    let unknown = Header::new(Network::Dev, MessageType::Publish, 0x0700);
    assert_eq!(
        unknown.payload_length(),
        Err(MessageError::UnknownBlockType(7))
    );
}

#[test]
fn a_payload_of_another_length_than_announced_is_refused() {
    assert_eq!(
        decode(MessageType::Keepalive, 0, &[0; 143]),
        Err(MessageError::PayloadLength {
            message_type: MessageType::Keepalive,
            expected: 144,
            found: 143,
        })
    );
}

#[test]
fn questions_and_votes_about_nothing_are_refused() {
    let count = |message_type| MessageError::Count {
        message_type,
        count: 0,
        least: 1,
        most: 255,
    };
    assert_eq!(
        decode(MessageType::ConfirmReq, 0x0100, &[]),
        Err(count(MessageType::ConfirmReq))
    );
    assert_eq!(
        decode(MessageType::ConfirmAck, 0x0100, &[1; 104]),
        Err(count(MessageType::ConfirmAck))
    );
    let nothing = Message::from(ConfirmReq { blocks: vec![] });
    assert_eq!(
        nothing.encode(Network::Dev),
        Err(count(MessageType::ConfirmReq))
    );

    let mut pairs = [1; 128];
    pairs[64..].fill(0);
    assert_eq!(
        decode(MessageType::ConfirmReq, 0x2100, &pairs),
        Err(MessageError::EmptyPair(1))
    );
}

#[test]
fn more_than_255_hashes_cannot_be_written() {
    let vote = |count| {
        let key = PrivateKey::from_bytes([1; 32]);
        let vote = Vote::sign(&key, VoteTimestamp::FINAL, vec![BlockHash::ZERO; count]);
        Message::from(ConfirmAck {
            vote,
            rebroadcast: false,
        })
    };
    assert!(vote(255).encode(Network::Dev).is_ok());
    assert!(matches!(
        vote(256).encode(Network::Dev),
        Err(MessageError::Count { count: 256, .. })
    ));
    let block = RequestedBlock {
        hash: BlockHash::from_bytes([1; 32]),
        root: Root::ZERO,
    };
    let question = Message::from(ConfirmReq {
        blocks: vec![block; 256],
    });
    assert!(question.encode(Network::Dev).is_err());
}

#[test]
fn a_vote_of_the_zero_account_is_refused() {
    assert_eq!(
        decode(MessageType::ConfirmAck, 0x1100, &[0; 136]),
        Err(MessageError::ZeroVoter)
    );
}

#[test]
fn the_block_type_bits_of_votes_and_questions_mean_nothing() {
    for bits in [0x0000, 0x0100, 0x0600] {
        assert!(decode(MessageType::ConfirmAck, 0x1000 | bits, &[1; 136]).is_ok());
        assert!(decode(MessageType::ConfirmReq, 0x1000 | bits, &[1; 64]).is_ok());
    }
}

#[test]
fn the_two_nibble_count_is_read_below_sixteen_too() {
    let Ok(Message::ConfirmReq(request)) = decode(MessageType::ConfirmReq, 0x0121, &[1; 128])
    else {
        panic!("a count of 2 in two nibbles");
    };
    assert_eq!(request.blocks.len(), 2);
}

#[test]
fn handshakes_without_content_or_with_a_lying_flag_are_refused() {
    assert_eq!(
        decode(MessageType::NodeIdHandshake, 0x0004, &[]),
        Err(MessageError::EmptyHandshake)
    );
    let empty = NodeIdHandshake {
        query: None,
        response: None,
        v2: true,
    };
    assert_eq!(
        Message::from(empty).encode(Network::Dev),
        Err(MessageError::EmptyHandshake)
    );
    let response = HandshakeResponse::V1 {
        node_id: PrivateKey::from_bytes([1; 32]).public_key(),
        signature: Signature::ZERO,
    };
    let lying = NodeIdHandshake {
        query: Some(Cookie::ZERO),
        response: Some(response),
        v2: true,
    };
    assert_eq!(
        Message::from(lying).encode(Network::Dev),
        Err(MessageError::HandshakeVersion)
    );
}

#[test]
fn telemetry_is_empty_or_complete() {
    assert!(decode(MessageType::TelemetryAck, 0, &[]).is_ok());
    assert_eq!(
        decode(MessageType::TelemetryAck, 201, &[0; 201]),
        Err(MessageError::TelemetryLength(201))
    );
    assert!(decode(MessageType::TelemetryAck, 1023, &[0; 1023]).is_ok());
}

#[test]
fn pulls_that_nodes_never_answer_are_refused() {
    let mut payload = vec![1; 43];
    payload[42] = 2;
    assert_eq!(
        decode(MessageType::AscPullReq, 34, &payload),
        Err(MessageError::UnknownTarget(2))
    );
    payload[0] = 4;
    assert_eq!(
        decode(MessageType::AscPullReq, 34, &payload),
        Err(MessageError::UnknownPull(4))
    );
    payload[0] = 2;
    assert_eq!(
        decode(MessageType::AscPullReq, 34, &payload),
        Err(MessageError::PullPayload {
            message_type: MessageType::AscPullReq,
            pull: 2,
        })
    );
    let ask = |question| Message::from(AscPullReq { id: 1, question }).encode(Network::Dev);
    let zero = PullTarget::Account(Account::ZERO);
    assert_eq!(
        ask(AscPullQuestion::AccountInfo { target: zero }),
        Err(MessageError::ZeroTarget)
    );
    let start = PullTarget::Account(Account::from_bytes([1; 32]));
    for count in [0, 129] {
        let found = ask(AscPullQuestion::Blocks { start, count });
        assert!(matches!(found, Err(MessageError::Count { most: 128, .. })));
    }
    for count in [0, 1001] {
        let found = ask(AscPullQuestion::Frontiers {
            start: Account::ZERO,
            count,
        });
        assert!(matches!(found, Err(MessageError::Count { most: 1000, .. })));
    }
}

#[test]
fn answers_to_pulls_end_where_they_say_they_end() {
    let malformed = |pull| {
        Err(MessageError::PullPayload {
            message_type: MessageType::AscPullAck,
            pull,
        })
    };
    let with = |pull: u8, rest: &[u8]| {
        let payload: Vec<u8> = [&[pull, 0, 0, 0, 0, 0, 0, 0, 1][..], rest].concat();
        let extensions = u16::try_from(rest.len()).unwrap();
        decode(MessageType::AscPullAck, extensions, &payload)
    };
    assert!(with(1, &[1]).is_ok());
    assert_eq!(with(1, &[]), malformed(1));
    assert_eq!(with(1, &[1, 1]), malformed(1));
    assert_eq!(with(1, &[6, 0, 0]), malformed(1));
    assert_eq!(with(2, &[0; 143]), malformed(2));
    assert!(with(3, &[0; 64]).is_ok());
    assert_eq!(with(3, &[1; 64]), malformed(3));
    assert_eq!(with(9, &[]), Err(MessageError::UnknownPull(9)));

    let ended = Frontier {
        account: Account::ZERO,
        hash: BlockHash::ZERO,
    };
    let answer = AscPullAck {
        id: 1,
        answer: AscPullAnswer::Frontiers(vec![ended]),
    };
    assert_eq!(
        Message::from(answer).encode(Network::Dev),
        Err(MessageError::ZeroTarget)
    );
}
