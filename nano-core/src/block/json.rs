//! Blocks as JSON objects, in the form of Nano's RPC.
//!
//! State balances are decimal, balances of legacy sends are hex; work is 16 hex digits; accounts
//! are addresses. A link may be written as hex or as an address, and `link_as_account` may stand
//! beside or instead of it. Signature and work may be missing or empty, which means zero: a block
//! still to be signed. Fields that RPC and WebSocket add around a block are ignored; when a needed
//! field is missing, the error names an unknown one too, because it is probably the same, mistyped.

use core::fmt;
use core::str::FromStr;

use serde::de::Error as _;
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::{Block, BlockType, ChangeBlock, OpenBlock, ReceiveBlock, SendBlock, StateBlock};
use crate::{Account, AddressError, AmountError, HexError, Link, Raw};

/// Every field name the RPC form of a block knows.
const KNOWN_FIELDS: [&str; 12] = [
    "type",
    "account",
    "previous",
    "representative",
    "balance",
    "link",
    "link_as_account",
    "signature",
    "work",
    "source",
    "destination",
    "subtype",
];

/// Why a JSON value is not a block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockJsonError {
    /// The text is not JSON.
    #[error("the block is not JSON: {0}")]
    Syntax(String),
    /// The value is not an object.
    #[error("a block is a JSON object with a field \"type\"; this is something else")]
    NotAnObject,
    /// The type is none of the five.
    #[error("{0:?} is no block type; it is one of state, send, receive, open, change")]
    UnknownType(String),
    /// A needed field is missing.
    #[error("the block has no field {field:?}{}", hint(.unknown.as_deref()))]
    MissingField {
        /// The missing field.
        field: &'static str,
        /// A field of the object that blocks do not have, if there is one.
        unknown: Option<String>,
    },
    /// A field is not a string.
    #[error("the block's field {0:?} must be a string")]
    NotAString(&'static str),
    /// A field has bad hex.
    #[error("the block's field {field:?}: {reason}")]
    Hex {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        reason: HexError,
    },
    /// A field has a bad address.
    #[error("the block's field {field:?}: {reason}")]
    Address {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        reason: AddressError,
    },
    /// A field has a bad amount.
    #[error("the block's field {field:?}: {reason}")]
    Amount {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        reason: AmountError,
    },
    /// `link` and `link_as_account` contradict each other.
    #[error("the block's fields \"link\" and \"link_as_account\" name different values")]
    LinkMismatch,
}

fn hint(unknown: Option<&str>) -> String {
    unknown.map_or_else(String::new, |name| {
        format!("; it has a field {name:?}, which blocks do not have")
    })
}

/// Looks fields up and turns their texts into values.
struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    fn optional(&self, field: &'static str) -> Result<Option<&'a str>, BlockJsonError> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(BlockJsonError::NotAString(field)),
        }
    }

    fn text(&self, field: &'static str) -> Result<&'a str, BlockJsonError> {
        self.optional(field)?
            .ok_or_else(|| BlockJsonError::MissingField {
                field,
                unknown: self
                    .0
                    .keys()
                    .find(|name| !KNOWN_FIELDS.contains(&name.as_str()))
                    .cloned(),
            })
    }

    fn hex<T: FromStr<Err = HexError>>(&self, field: &'static str) -> Result<T, BlockJsonError> {
        parse_hex_field(field, self.text(field)?)
    }

    fn hex_or_zero<T>(&self, field: &'static str) -> Result<T, BlockJsonError>
    where
        T: FromStr<Err = HexError> + Default,
    {
        match self.optional(field)? {
            None | Some("") => Ok(T::default()),
            Some(text) => parse_hex_field(field, text),
        }
    }

    fn account(&self, field: &'static str) -> Result<Account, BlockJsonError> {
        parse_address_field(field, self.text(field)?)
    }

    fn link(&self) -> Result<Link, BlockJsonError> {
        let as_account = self
            .optional("link_as_account")?
            .map(|text| parse_address_field("link_as_account", text))
            .transpose()?
            .map(Link::from);
        let Some(text) = self.optional("link")? else {
            return match as_account {
                Some(link) => Ok(link),
                None => self.text("link").map(|_| Link::ZERO),
            };
        };
        // No hex text contains an underscore or hyphen, every address does.
        let link = if text.contains(['_', '-']) {
            parse_address_field("link", text)?.into()
        } else {
            parse_hex_field("link", text)?
        };
        if as_account.is_some_and(|other| other != link) {
            return Err(BlockJsonError::LinkMismatch);
        }
        Ok(link)
    }
}

fn parse_hex_field<T: FromStr<Err = HexError>>(
    field: &'static str,
    text: &str,
) -> Result<T, BlockJsonError> {
    text.parse()
        .map_err(|reason| BlockJsonError::Hex { field, reason })
}

fn parse_address_field(field: &'static str, text: &str) -> Result<Account, BlockJsonError> {
    text.parse()
        .map_err(|reason| BlockJsonError::Address { field, reason })
}

impl Block {
    /// Reads the RPC form.
    ///
    /// # Errors
    /// Any [`BlockJsonError`] but [`BlockJsonError::Syntax`].
    pub fn from_json(value: &Value) -> Result<Self, BlockJsonError> {
        let fields = Fields(value.as_object().ok_or(BlockJsonError::NotAnObject)?);
        let name = fields.text("type")?;
        let kind = BlockType::from_name(name)
            .ok_or_else(|| BlockJsonError::UnknownType(name.chars().take(32).collect()))?;
        let signature = fields.hex_or_zero("signature")?;
        let work = fields.hex_or_zero("work")?;
        let amount = |parse: fn(&str) -> Result<Raw, AmountError>| {
            parse(fields.text("balance")?).map_err(|reason| BlockJsonError::Amount {
                field: "balance",
                reason,
            })
        };
        Ok(match kind {
            BlockType::Send => Self::Send(SendBlock {
                previous: fields.hex("previous")?,
                destination: fields.account("destination")?,
                balance: amount(Raw::from_hex)?,
                signature,
                work,
            }),
            BlockType::Receive => Self::Receive(ReceiveBlock {
                previous: fields.hex("previous")?,
                source: fields.hex("source")?,
                signature,
                work,
            }),
            BlockType::Open => Self::Open(OpenBlock {
                source: fields.hex("source")?,
                representative: fields.account("representative")?,
                account: fields.account("account")?,
                signature,
                work,
            }),
            BlockType::Change => Self::Change(ChangeBlock {
                previous: fields.hex("previous")?,
                representative: fields.account("representative")?,
                signature,
                work,
            }),
            BlockType::State => Self::State(StateBlock {
                account: fields.account("account")?,
                previous: fields.hex("previous")?,
                representative: fields.account("representative")?,
                balance: amount(str::parse)?,
                link: fields.link()?,
                signature,
                work,
            }),
        })
    }

    /// Reads the RPC form from text.
    ///
    /// # Errors
    /// Any [`BlockJsonError`].
    pub fn from_json_text(text: &str) -> Result<Self, BlockJsonError> {
        let value = serde_json::from_str(text)
            .map_err(|error| BlockJsonError::Syntax(error.to_string()))?;
        Self::from_json(&value)
    }

    /// The RPC form.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        let Ok(()) = self.each_json_field(|name, text| {
            object.insert(name.to_owned(), Value::String(text.to_string()));
            Ok::<(), core::convert::Infallible>(())
        });
        Value::Object(object)
    }

    /// Calls `put` with the name and text of every field, in the order nodes print them.
    fn each_json_field<E>(
        &self,
        mut put: impl FnMut(&'static str, &dyn fmt::Display) -> Result<(), E>,
    ) -> Result<(), E> {
        put("type", &self.block_type())?;
        match self {
            Self::Send(block) => {
                put("previous", &block.previous)?;
                put("destination", &block.destination)?;
                put("balance", &block.balance.to_hex())?;
            }
            Self::Receive(block) => {
                put("previous", &block.previous)?;
                put("source", &block.source)?;
            }
            Self::Open(block) => {
                put("source", &block.source)?;
                put("representative", &block.representative)?;
                put("account", &block.account)?;
            }
            Self::Change(block) => {
                put("previous", &block.previous)?;
                put("representative", &block.representative)?;
            }
            Self::State(block) => {
                put("account", &block.account)?;
                put("previous", &block.previous)?;
                put("representative", &block.representative)?;
                put("balance", &block.balance)?;
                put("link", &block.link)?;
                put("link_as_account", &Account::from(block.link))?;
            }
        }
        put("signature", self.signature())?;
        put("work", &self.work())
    }
}

impl Serialize for Block {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return serializer.serialize_bytes(self.typed().written());
        }
        let mut map = serializer.serialize_map(None)?;
        self.each_json_field(|name, text| map.serialize_entry(name, &format_args!("{text}")))?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Block {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let value = Value::deserialize(deserializer)?;
            return Self::from_json(&value).map_err(D::Error::custom);
        }
        deserializer.deserialize_bytes(TypedBytes)
    }
}

/// Reads the binary serde form: a type byte and the block's bytes.
struct TypedBytes;

impl serde::de::Visitor<'_> for TypedBytes {
    type Value = Block;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a type byte and the bytes of a block")
    }

    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Block, E> {
        Block::parse_typed(bytes).map_err(E::custom)
    }
}
