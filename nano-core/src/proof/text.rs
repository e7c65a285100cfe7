//! The JSON form of proofs, described in the module documentation of [`super`], and the serde forms
//! made of it and of the binary one.

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    BalanceProof, Certificate, Frontier, History, MAX_PROOF_JSON_BYTES, ProofError,
    ReceivableProof, VERSION,
};
use crate::blob::deserialize_blob;
use crate::{Block, BlockHash, Network, StateBlock};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BalanceText {
    version: u8,
    network: Network,
    hash: BlockHash,
    frontier: FrontierText,
    certificate: Certificate,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
enum FrontierText {
    State { block: Block },
    Epoch { block: Block, history: History },
    Legacy { history: History },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReceivableText {
    version: u8,
    network: Network,
    hash: BlockHash,
    send: Block,
    history: History,
    certificate: Certificate,
}

impl From<&BalanceProof> for BalanceText {
    fn from(proof: &BalanceProof) -> Self {
        let frontier = match &proof.frontier {
            Frontier::State(block) => FrontierText::State {
                block: Block::State(*block),
            },
            Frontier::Epoch { block, history } => FrontierText::Epoch {
                block: Block::State(*block),
                history: history.clone(),
            },
            Frontier::Legacy(history) => FrontierText::Legacy {
                history: history.clone(),
            },
        };
        Self {
            version: VERSION,
            network: proof.network,
            hash: proof.hash(),
            frontier,
            certificate: proof.certificate.clone(),
        }
    }
}

impl TryFrom<BalanceText> for BalanceProof {
    type Error = ProofError;

    fn try_from(text: BalanceText) -> Result<Self, ProofError> {
        check_version(text.version)?;
        let frontier = match text.frontier {
            FrontierText::State { block } => Frontier::State(state(block)?),
            FrontierText::Epoch { block, history } => Frontier::Epoch {
                block: state(block)?,
                history,
            },
            FrontierText::Legacy { history } => Frontier::Legacy(history),
        };
        let proof = Self {
            network: text.network,
            frontier,
            certificate: text.certificate,
        };
        check_hash(text.hash, proof.hash())?;
        proof.check_form()?;
        Ok(proof)
    }
}

impl From<&ReceivableProof> for ReceivableText {
    fn from(proof: &ReceivableProof) -> Self {
        Self {
            version: VERSION,
            network: proof.network,
            hash: proof.hash(),
            send: proof.send,
            history: proof.history.clone(),
            certificate: proof.certificate.clone(),
        }
    }
}

impl TryFrom<ReceivableText> for ReceivableProof {
    type Error = ProofError;

    fn try_from(text: ReceivableText) -> Result<Self, ProofError> {
        check_version(text.version)?;
        let proof = Self {
            network: text.network,
            send: text.send,
            history: text.history,
            certificate: text.certificate,
        };
        check_hash(text.hash, proof.hash())?;
        proof.check_form()?;
        Ok(proof)
    }
}

fn state(block: Block) -> Result<StateBlock, ProofError> {
    match block {
        Block::State(block) => Ok(block),
        _ => Err(ProofError::Malformed(
            "a legacy block where a state block has to be",
        )),
    }
}

const fn check_version(version: u8) -> Result<(), ProofError> {
    if version == VERSION {
        Ok(())
    } else {
        Err(ProofError::UnknownVersion(version))
    }
}

fn check_hash(claimed: BlockHash, computed: BlockHash) -> Result<(), ProofError> {
    if claimed == computed {
        Ok(())
    } else {
        Err(ProofError::WrongHash { claimed, computed })
    }
}

fn write(form: &impl Serialize) -> Result<String, ProofError> {
    serde_json::to_string_pretty(form).map_err(|error| ProofError::Json(error.to_string()))
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, ProofError> {
    if text.len() > MAX_PROOF_JSON_BYTES {
        return Err(ProofError::TooLarge {
            found: text.len(),
            limit: MAX_PROOF_JSON_BYTES,
        });
    }
    serde_json::from_str(text).map_err(|error| ProofError::Json(error.to_string()))
}

macro_rules! text_forms {
    ($proof:ident, $text:ident, $expected:literal) => {
        impl $proof {
            /// The JSON form, with line breaks, for people to read.
            ///
            /// # Errors
            /// What every decoder would refuse; never for a proof that was decoded, assembled or
            /// verified.
            pub fn to_json(&self) -> Result<String, ProofError> {
                self.check_form()?;
                write(&$text::from(self))
            }

            /// Reads the JSON form. Nothing is verified but the hash beside the block.
            ///
            /// # Errors
            /// [`ProofError::Json`] with place and reason, [`ProofError::WrongHash`], and what
            /// the binary decoder refuses.
            pub fn from_json(text: &str) -> Result<Self, ProofError> {
                read::<$text>(text)?.try_into()
            }
        }

        impl Serialize for $proof {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    return $text::from(self).serialize(serializer);
                }
                serializer.serialize_bytes(&self.to_bytes().map_err(S::Error::custom)?)
            }
        }

        impl<'de> Deserialize<'de> for $proof {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    let text = $text::deserialize(deserializer)?;
                    return text.try_into().map_err(D::Error::custom);
                }
                deserialize_blob(deserializer, $expected, Self::from_bytes)
            }
        }
    };
}

text_forms!(BalanceProof, BalanceText, "the bytes of a balance proof");
text_forms!(
    ReceivableProof,
    ReceivableText,
    "the bytes of a receivable proof"
);
