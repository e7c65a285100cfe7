//! The two full nodes of the network, and where a development node talks like the one or the other.
//!
//! Where they agree, this crate does as both. Every known difference is here:
//!
//! | where | [`Dialect::Cpp`] | [`Dialect::Rs`] |
//! |---|---|---|
//! | block type bits of its confirm_acks | 1, *not a block* | 0 |
//! | a confirm_req whose block type bits are not 1 | answered | closes the connection |
//! | a payload that does not parse | dropped | closes the connection |
//! | a peer that sends nothing (dev network) | dropped after 15 s | kept for more than 40 s; 60 s here |
//! | dead bootstrap message instead of a handshake | connection stays, everything on it is ignored | closes the connection |
//! | handshake query without the v2 flag | answered in version 1 | the same body under a header with the v2 flag |
//! | RPC: a request that cannot be read | `{"error": …}`, status 200 | plain text, status 422 |
//! | RPC: a number or boolean that is not text | taken | cannot be read |
//! | RPC: a `count` of -1 | means all | cannot be read |
//! | RPC: nothing receivable | `"blocks": ""` | an empty array or object |
//! | RPC: `accounts_…`, no account has an answer | `errors` alone | an empty object beside `errors` |
//! | RPC: `account_info` with `include_confirmed` | `confirmed_height` instead of `confirmation_height` | both, always |
//! | RPC: `difficulty` of `work_generate` and `work_validate` | 16 hex digits | decimal |
//! | RPC: `valid` of `work_validate` without a difficulty | left out | null |
//! | RPC, WebSocket: `work` of a block | lower case | upper case |
//! | WebSocket: a boolean as text (`"true"`) | taken | closes the connection |
//! | WebSocket: `signature` of a vote | decimal | hex |
//! | WebSocket: `include_linked_account` | taken | unknown, ignored |
//!
//! One difference is left out on purpose: `node_vendor` and the telemetry's maker name this
//! program, because nobody should take a development node for a real one.
//!
//! Sources: nano-node V28 as read, RsNano 2.0 as observed on its wire; the recordings that the
//! tests replay are RsNano's.

use std::time::Duration;

use nano_core::Signature;
use nano_core::message::{Header, MessageType};
use serde_json::{Value, json};

/// Which full node a development node talks like; see the module's table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// nano-node, in C++, version 28.
    #[default]
    Cpp,
    /// RsNano, version 2.
    Rs,
}

/// A name that is no dialect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no dialect of full nodes; write cpp or rs")]
pub struct UnknownDialect(pub String);

impl std::str::FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(text: &str) -> Result<Self, UnknownDialect> {
        match text {
            "cpp" => Ok(Self::Cpp),
            "rs" => Ok(Self::Rs),
            other => Err(UnknownDialect(other.to_owned())),
        }
    }
}

impl std::fmt::Display for Dialect {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Cpp => "cpp",
            Self::Rs => "rs",
        })
    }
}

/// Place of the extensions' high byte in a message, and its bits for the block type.
const BLOCK_TYPE_BYTE: usize = 7;
const BLOCK_TYPE_BITS: u8 = 0x0f;
const NOT_A_BLOCK: u8 = 1;
/// The same bits of the whole extensions.
const BLOCK_TYPE_SHIFT: u16 = 8;

impl Dialect {
    /// Whether a payload that does not parse ends the connection.
    pub(crate) const fn closes_on_malformed(self) -> bool {
        matches!(self, Self::Rs)
    }

    /// Whether a message with this header is taken at all.
    pub(crate) fn takes(self, header: &Header) -> bool {
        let kind = (header.extensions >> BLOCK_TYPE_SHIFT) & u16::from(BLOCK_TYPE_BITS);
        match self {
            Self::Cpp => true,
            Self::Rs => {
                header.message_type != MessageType::ConfirmReq || kind == u16::from(NOT_A_BLOCK)
            }
        }
    }

    /// How long a peer may send nothing.
    pub(crate) const fn idle(self) -> Duration {
        match self {
            Self::Cpp => Duration::from_secs(15),
            Self::Rs => Duration::from_secs(60),
        }
    }

    /// Whether a dead bootstrap message before the handshake leaves the connection open.
    pub(crate) const fn keeps_bootstrap(self) -> bool {
        matches!(self, Self::Cpp)
    }

    /// Whether the answer to a query of version 1 claims version 2 in its header.
    pub(crate) const fn flags_old_handshake(self) -> bool {
        matches!(self, Self::Rs)
    }

    /// Writes the block type bits as this node does into an encoded confirm_ack.
    pub(crate) fn mark_vote(self, message: &mut [u8]) {
        let bits = match self {
            Self::Cpp => NOT_A_BLOCK,
            Self::Rs => 0,
        };
        if let Some(byte) = message.get_mut(BLOCK_TYPE_BYTE) {
            *byte = (*byte & !BLOCK_TYPE_BITS) | bits;
        }
    }

    /// A vote's signature as the WebSocket writes it.
    pub(crate) fn signature_text(self, signature: &Signature) -> String {
        match self {
            Self::Cpp => decimal(signature.as_bytes()),
            Self::Rs => signature.to_string(),
        }
    }

    /// Whether the WebSocket takes a boolean as text.
    pub(crate) const fn takes_text_booleans(self) -> bool {
        matches!(self, Self::Cpp)
    }

    /// Whether the WebSocket's option `include_linked_account` is known.
    pub(crate) const fn knows_linked_account(self) -> bool {
        matches!(self, Self::Cpp)
    }

    /// Writes the work of all blocks in a JSON value as this node does.
    pub(crate) fn write_work(self, value: &mut Value) {
        if self == Self::Cpp {
            return;
        }
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match (name.as_str(), &mut *value) {
                        ("work", Value::String(work)) => work.make_ascii_uppercase(),
                        // A block inside a text.
                        ("contents", Value::String(text)) => {
                            if let Ok(mut block) = serde_json::from_str(text) {
                                self.write_work(&mut block);
                                *text = serde_json::to_string_pretty(&block).unwrap_or_default();
                            }
                        }
                        _ => self.write_work(value),
                    }
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.write_work(value)),
            _ => {}
        }
    }

    /// A difficulty as the RPC writes it.
    pub(crate) fn difficulty(self, difficulty: nano_core::Difficulty) -> Value {
        match self {
            Self::Cpp => json!(difficulty),
            Self::Rs => json!(difficulty.number().to_string()),
        }
    }
}

/// A number of many bytes, the most significant first, in decimal.
fn decimal(bytes: &[u8]) -> String {
    let mut number = bytes.to_vec();
    let mut digits = Vec::new();
    while number.iter().any(|byte| *byte != 0) {
        let mut rest = 0_u16;
        for byte in &mut number {
            let part = rest << 8 | u16::from(*byte);
            *byte = u8::try_from(part / 10).unwrap_or(u8::MAX);
            rest = part % 10;
        }
        digits.push(char::from(b'0' + u8::try_from(rest).unwrap_or(0)));
    }
    if digits.is_empty() {
        digits.push('0');
    }
    digits.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_bytes_become_a_decimal_number() {
        assert_eq!(decimal(&[0, 0]), "0");
        assert_eq!(decimal(&[1, 0]), "256");
        assert_eq!(decimal(&u128::MAX.to_be_bytes()), u128::MAX.to_string());
        // 2^512 - 1, from a table of powers of two.
        let largest = "1340780792994259709957402499820584612747936582059239337772356144372176\
                       4030073546976801874298166903427690031858186486050853753882811946569946433\
                       649006084095";
        assert_eq!(decimal(&[0xff; 64]), largest.replace(' ', ""));
    }

    #[test]
    fn names_are_read_back() {
        for dialect in [Dialect::Cpp, Dialect::Rs] {
            assert_eq!(dialect.to_string().parse(), Ok(dialect));
        }
        assert!("c++".parse::<Dialect>().is_err());
    }
}
