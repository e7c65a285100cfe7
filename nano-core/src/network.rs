//! The networks and what differs between them: ids, ports, genesis, epoch signers, thresholds.
//!
//! Source: nano-node's `nano/lib/config`, `nano/lib/constants` and `nano/secure/common`; every
//! value is checked against the recorded vectors.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{
    Account, Block, BlockHash, Difficulty, Epoch, OpenBlock, PrivateKey, PublicKey, Signature,
    WorkNonce, WorkThresholds,
};

/// A Nano network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// The real one.
    Live,
    /// The public rehearsal network.
    Beta,
    /// The public test network, retired in 2026; its constants remain.
    Test,
    /// The local network of one machine, whose genesis key is public.
    Dev,
}

/// The text names no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown network; it is one of live, beta, test, dev")]
pub struct UnknownNetwork;

impl Network {
    /// All networks.
    pub const ALL: [Self; 4] = [Self::Live, Self::Beta, Self::Test, Self::Dev];

    /// The two bytes that begin every peer message.
    #[must_use]
    pub const fn id(self) -> [u8; 2] {
        match self {
            Self::Live => *b"RC",
            Self::Beta => *b"RB",
            Self::Test => *b"RX",
            Self::Dev => *b"RA",
        }
    }

    /// The network whose messages begin with `id`, if there is one.
    #[must_use]
    pub fn from_id(id: [u8; 2]) -> Option<Self> {
        Self::ALL.into_iter().find(|network| network.id() == id)
    }

    /// The lower-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Beta => "beta",
            Self::Test => "test",
            Self::Dev => "dev",
        }
    }

    /// Default TCP port of the peer protocol.
    #[must_use]
    pub const fn peering_port(self) -> u16 {
        match self {
            Self::Live => 7075,
            Self::Beta => 54000,
            Self::Test => 17075,
            Self::Dev => 44000,
        }
    }

    /// Default TCP port of a full node's RPC.
    #[must_use]
    pub const fn rpc_port(self) -> u16 {
        match self {
            Self::Live => 7076,
            Self::Beta => 55000,
            Self::Test => 17076,
            Self::Dev => 45000,
        }
    }

    /// Default TCP port of a full node's WebSocket.
    #[must_use]
    pub const fn websocket_port(self) -> u16 {
        match self {
            Self::Live => 7078,
            Self::Beta => 57000,
            Self::Test => 17078,
            Self::Dev => 47000,
        }
    }

    /// The DNS name full nodes find their first peers under, where the network has one.
    #[must_use]
    pub const fn preconfigured_peer(self) -> Option<&'static str> {
        match self {
            Self::Live => Some("peering.nano.org"),
            Self::Beta => Some("peering-beta.nano.org"),
            Self::Test | Self::Dev => None,
        }
    }

    const fn genesis(self) -> &'static Genesis {
        match self {
            Self::Live => &LIVE_GENESIS,
            Self::Beta => &BETA_GENESIS,
            Self::Test => &TEST_GENESIS,
            Self::Dev => &DEV_GENESIS,
        }
    }

    /// The account all nano came from.
    #[must_use]
    pub const fn genesis_account(self) -> Account {
        Account::from_bytes(self.genesis().account)
    }

    /// The hash of the first block; part of what a handshake signs.
    #[must_use]
    pub const fn genesis_hash(self) -> BlockHash {
        BlockHash::from_bytes(self.genesis().hash)
    }

    /// The first block, which opens the genesis account with [`crate::Raw::MAX`]. Its work is not
    /// to be checked: on beta and test it reaches no threshold.
    #[must_use]
    pub const fn genesis_block(self) -> Block {
        let genesis = self.genesis();
        Block::Open(OpenBlock {
            source: BlockHash::from_bytes(genesis.account),
            representative: self.genesis_account(),
            account: self.genesis_account(),
            signature: Signature::from_bytes(genesis.signature),
            work: WorkNonce::new(genesis.work),
        })
    }

    /// The key that signs epoch blocks of `epoch`.
    #[must_use]
    pub const fn epoch_signer(self, epoch: Epoch) -> PublicKey {
        match (self, epoch) {
            (Self::Live, Epoch::Two) => PublicKey::from_bytes(LIVE_EPOCH_2_SIGNER),
            _ => self.genesis_account().public_key(),
        }
    }

    /// The work thresholds.
    #[must_use]
    pub const fn work_thresholds(self) -> WorkThresholds {
        let (epoch_1, epoch_2_send, epoch_2_receive) = match self {
            Self::Live | Self::Test => (
                0xffff_ffc0_0000_0000,
                0xffff_fff8_0000_0000,
                0xffff_fe00_0000_0000,
            ),
            Self::Beta => (
                0xffff_f000_0000_0000,
                0xffff_f000_0000_0000,
                0xffff_e000_0000_0000,
            ),
            Self::Dev => (
                0xfe00_0000_0000_0000,
                0xffc0_0000_0000_0000,
                0xf000_0000_0000_0000,
            ),
        };
        WorkThresholds {
            epoch_1: Difficulty::new(epoch_1),
            epoch_2_send: Difficulty::new(epoch_2_send),
            epoch_2_receive: Difficulty::new(epoch_2_receive),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Network {
    type Err = UnknownNetwork;

    fn from_str(text: &str) -> Result<Self, UnknownNetwork> {
        Self::ALL
            .into_iter()
            .find(|network| network.name() == text)
            .ok_or(UnknownNetwork)
    }
}

/// The private key of the dev network's genesis account: everyone has it. Test material; it owns
/// nothing anywhere else.
#[must_use]
pub fn dev_genesis_private_key() -> PrivateKey {
    PrivateKey::from_bytes(hex(
        b"34F0A37AAD20F4A260F0A5B3CB3D7FB50673212263E58A380BC10474BB039CE4",
    ))
}

struct Genesis {
    account: [u8; 32],
    hash: [u8; 32],
    signature: [u8; 64],
    work: u64,
}

const LIVE_GENESIS: Genesis = Genesis {
    account: hex(b"E89208DD038FBB269987689621D52292AE9C35941A7484756ECCED92A65093BA"),
    hash: hex(b"991CF190094C00F0B68E2E5F75F6BEE95A2E0BD93CEAA4A6734DB9F19B728948"),
    signature: hex(
        b"9F0C933C8ADE004D808EA1985FA746A7E95BA2A38F867640F53EC8F180BDFE9E\
          2C1268DEAD7C2664F356E37ABA362BC58E46DBA03E523A7B5A19E4B6EB12BB02",
    ),
    work: 0x62f0_5417_dd3f_b691,
};

const BETA_GENESIS: Genesis = Genesis {
    account: hex(b"259A438A8F9F9226130C84D902C237AF3E57C0981C7D709C288046B110D8C8AC"),
    hash: hex(b"E1227CF974C1455A8B630433D94F3DDBF495EEAC9ADD2481A4A1D90A0D00F488"),
    signature: hex(
        b"BC588273AC689726D129D3137653FB319B6EE6DB178F97421D11D075B46FD52B\
          6748223C8FF4179399D35CB1A8DF36F759325BD2D3D4504904321FAFB71D7602",
    ),
    work: 0xe87a_3ce3_9b43_b84c,
};

const TEST_GENESIS: Genesis = Genesis {
    account: hex(b"45C6FF9D1706D61F0821327752671BDA9F9ED2DA40326B01935AB566FB9E08ED"),
    hash: hex(b"B1D60C0B886B57401EF5A1DAA04340E53726AA6F4D706C085706F31BBD100CEE"),
    signature: hex(
        b"15049467CAEE3EC768639E8E35792399B6078DA763DA4EBA8ECAD33B0EDC4AF2\
          E7403893A5A602EB89B978DABEF1D6606BB00F3C0EE11449232B143B6E07170E",
    ),
    work: 0xbc1e_f279_c1a3_4eb1,
};

const DEV_GENESIS: Genesis = Genesis {
    account: hex(b"B0311EA55708D6A53C75CDBF88300259C6D018522FE3D4D0A242E431F9E8B6D0"),
    hash: hex(b"04270D7F11C4B2B472F2854C5A59F2A7E84226CE9ED799DE75744BD7D85FC9D9"),
    signature: hex(
        b"ECDA914373A2F0CA1296475BAEE40500A7F0A7AD72A5A80C81D7FAB7F6C802B2\
          CC7DB50F5DD0FB25B2EF11761FA7344A158DD5A700B21BD47DE5BD0F63153A02",
    ),
    work: 0x7b42_a00e_e91d_5810,
};

const LIVE_EPOCH_2_SIGNER: [u8; 32] =
    hex(b"DD24A9200D4BF8247981E4AC63DBDE38FD2319386970A26D02ECC98C79975DB1");

/// Reads the constants above at compile time; a text of the wrong length does not compile.
const fn hex<const D: usize, const N: usize>(digits: &[u8; D]) -> [u8; N] {
    const { assert!(D == 2 * N) };
    let mut bytes = [0; N];
    let mut index = 0;
    while index < N {
        bytes[index] = digit(digits[2 * index]) << 4 | digit(digits[2 * index + 1]);
        index += 1;
    }
    bytes
}

const fn digit(character: u8) -> u8 {
    match character {
        b'0'..=b'9' => character - b'0',
        _ => character - b'A' + 10,
    }
}
