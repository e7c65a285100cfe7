//! The ledger on disk: one SQLite file with the blocks in the order they went in, the confirmed
//! height of each account, and the final votes given for roots that are not confirmed yet.
//!
//! The ledger itself lives in memory and is rebuilt from the blocks at start, through the same
//! checks as any other block, so a damaged file cannot become a wrong ledger. A file is opened
//! only if it says it is one of ours (application id, version, genesis hash), and nothing is
//! written before it was read completely.
//!
//! Writes survive the end of the process at any point; a power cut can lose the newest of them,
//! which is good enough for a development node.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nano_core::{Account, Block, BlockHash, Root};
use rusqlite::{Connection, ErrorCode, OpenFlags, params};

use crate::DevNodeError;
use crate::ledger::{Entry, Ledger};

/// Name of the file in the data folder.
const FILE: &str = "dev-ledger.sqlite";
/// "nDEV": SQLite's mark for whose file this is.
const APPLICATION_ID: i32 = 0x6e44_4556;
/// Layout of the tables.
const VERSION: i32 = 1;

const TABLES: &str = "
    CREATE TABLE blocks (
        position INTEGER PRIMARY KEY,
        hash BLOB NOT NULL UNIQUE,
        block BLOB NOT NULL,
        local_timestamp INTEGER NOT NULL
    );
    CREATE TABLE confirmed (
        account BLOB PRIMARY KEY,
        height INTEGER NOT NULL,
        frontier BLOB NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE final_votes (
        root BLOB PRIMARY KEY,
        hash BLOB NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE genesis (hash BLOB NOT NULL);
";

/// The open database of one node.
#[derive(Debug)]
pub(crate) struct Store {
    connection: Connection,
}

/// What a database held.
pub(crate) struct Loaded {
    pub(crate) store: Store,
    /// `None` when the database is new and empty.
    pub(crate) content: Option<Content>,
}

/// Ledger and final votes of an existing database.
pub(crate) struct Content {
    pub(crate) ledger: Ledger,
    pub(crate) final_votes: Vec<(Root, BlockHash)>,
}

impl Store {
    /// Opens the ledger of a data folder, making folder and file when missing.
    ///
    /// # Errors
    /// [`DevNodeError`]; an existing file is unchanged then.
    pub(crate) fn open(folder: &Path) -> Result<Loaded, DevNodeError> {
        std::fs::create_dir_all(folder).map_err(|source| DevNodeError::Folder {
            path: folder.to_owned(),
            source,
        })?;
        let path = folder.join(FILE);
        let is_new = std::fs::metadata(&path).map_or(true, |file| file.len() == 0);
        let failed = |source| classify(&path, source);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let connection = Connection::open_with_flags(&path, flags).map_err(failed)?;
        connection
            .busy_timeout(Duration::ZERO)
            .and_then(|()| connection.pragma_update(None, "locking_mode", "EXCLUSIVE"))
            .map_err(failed)?;
        if is_new {
            create(&connection).map_err(failed)?;
            let store = Self { connection };
            return Ok(Loaded {
                store,
                content: None,
            });
        }
        check_identity(&connection, &path)?;
        let content = read(&connection, &path)?;
        prepare(&connection).map_err(failed)?;
        let store = Self { connection };
        Ok(Loaded {
            store,
            content: Some(content),
        })
    }

    /// Appends blocks that entered the ledger, all or none.
    pub(crate) fn add<'a>(
        &mut self,
        blocks: impl IntoIterator<Item = (&'a Block, u64)>,
    ) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        for (block, local_timestamp) in blocks {
            transaction
                .prepare_cached(
                    "INSERT INTO blocks (hash, block, local_timestamp) VALUES (?1, ?2, ?3)",
                )?
                .execute(params![
                    block.hash().as_bytes(),
                    block.serialized_typed(),
                    local_timestamp.cast_signed()
                ])?;
        }
        transaction.commit()
    }

    /// Writes the blocks that a fresh ledger begins with; all of them are confirmed.
    pub(crate) fn begin(
        &mut self,
        blocks: &[Block],
        ledger: &Ledger,
        local_timestamp: u64,
    ) -> Result<(), DevNodeError> {
        let heights: Vec<_> = ledger
            .accounts_from(Account::ZERO)
            .map(|(account, info)| {
                let (height, frontier) = (info.confirmation_height, info.confirmation_frontier);
                (*account, height, frontier)
            })
            .collect();
        self.add(blocks.iter().map(|block| (block, local_timestamp)))
            .and_then(|()| self.confirm(&heights, &[]))
            .map_err(|source| DevNodeError::Database {
                path: self.connection.path().unwrap_or(FILE).into(),
                source,
            })
    }

    /// Removes blocks that were rolled back, all or none.
    pub(crate) fn remove(&mut self, blocks: &[(BlockHash, Entry)]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        for (hash, _) in blocks {
            transaction
                .prepare_cached("DELETE FROM blocks WHERE hash = ?1")?
                .execute([hash.as_bytes()])?;
        }
        transaction.commit()
    }

    /// Records confirmed heights, and drops the final votes that they make needless: a confirmed
    /// block can never be replaced, so the ledger itself is the record from there on.
    pub(crate) fn confirm(
        &mut self,
        heights: &[(Account, u64, BlockHash)],
        decided: &[Root],
    ) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        for (account, height, frontier) in heights {
            transaction
                .prepare_cached(
                    "INSERT OR REPLACE INTO confirmed (account, height, frontier)
                     VALUES (?1, ?2, ?3)",
                )?
                .execute(params![
                    account.as_bytes(),
                    height.cast_signed(),
                    frontier.as_bytes()
                ])?;
        }
        for root in decided {
            transaction
                .prepare_cached("DELETE FROM final_votes WHERE root = ?1")?
                .execute([root.as_bytes()])?;
        }
        transaction.commit()
    }

    /// Records final votes, which has to succeed before one of them is sent.
    pub(crate) fn record_final_votes(
        &mut self,
        votes: &[(Root, BlockHash)],
    ) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        for (root, hash) in votes {
            transaction
                .prepare_cached("INSERT INTO final_votes (root, hash) VALUES (?1, ?2)")?
                .execute([root.as_bytes(), hash.as_bytes()])?;
        }
        transaction.commit()
    }
}

fn create(connection: &Connection) -> rusqlite::Result<()> {
    prepare(connection)?;
    let transaction = connection.unchecked_transaction()?;
    transaction.execute_batch(TABLES)?;
    transaction.execute(
        "INSERT INTO genesis (hash) VALUES (?1)",
        [Ledger::NETWORK.genesis_hash().as_bytes()],
    )?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}

/// Settings for writing; switching to the write-ahead log is itself a write.
fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")
}

fn check_identity(connection: &Connection, path: &Path) -> Result<(), DevNodeError> {
    let number = |pragma: &str| -> rusqlite::Result<i32> {
        connection.pragma_query_value(None, pragma, |row| row.get(0))
    };
    let failed = |source| classify(path, source);
    let foreign = |reason: String| DevNodeError::ForeignDatabase {
        path: path.to_owned(),
        reason,
    };
    let application = number("application_id").map_err(failed)?;
    if application != APPLICATION_ID {
        return Err(foreign(format!("its application id is {application:#x}")));
    }
    let version = number("user_version").map_err(failed)?;
    if version != VERSION {
        return Err(foreign(format!(
            "its layout has version {version}, this program knows {VERSION}"
        )));
    }
    let genesis: Vec<u8> = connection
        .query_row("SELECT hash FROM genesis", [], |row| row.get(0))
        .map_err(failed)?;
    if genesis != Ledger::NETWORK.genesis_hash().as_bytes() {
        return Err(foreign("it belongs to another network".to_owned()));
    }
    Ok(())
}

fn read(connection: &Connection, path: &Path) -> Result<Content, DevNodeError> {
    let failed = |source| classify(path, source);
    let corrupt = |reason: String| DevNodeError::CorruptDatabase {
        path: path.to_owned(),
        reason,
    };
    let mut ledger = Ledger::genesis(0);
    let mut statement = connection
        .prepare("SELECT hash, block, local_timestamp FROM blocks ORDER BY position")
        .map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let hash: [u8; 32] = row.get(0).map_err(failed)?;
        let bytes: Vec<u8> = row.get(1).map_err(failed)?;
        let local_timestamp: i64 = row.get(2).map_err(failed)?;
        let hash = BlockHash::from_bytes(hash);
        let block = Block::parse_typed(&bytes)
            .map_err(|reason| corrupt(format!("block {hash} cannot be read: {reason}")))?;
        let found = ledger
            .process(block, local_timestamp.cast_unsigned())
            .map_err(|reason| corrupt(reason.to_string()))?;
        if found != hash {
            return Err(corrupt(format!("block {hash} has the hash {found}")));
        }
    }
    let mut statement = connection
        .prepare("SELECT account, height, frontier FROM confirmed")
        .map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let account = Account::from_bytes(row.get(0).map_err(failed)?);
        let height: i64 = row.get(1).map_err(failed)?;
        let frontier = BlockHash::from_bytes(row.get(2).map_err(failed)?);
        let fits = ledger.entry(&frontier).is_some_and(|entry| {
            entry.account == account && entry.height == height.cast_unsigned()
        });
        if !fits {
            return Err(corrupt(format!(
                "{account} is marked confirmed up to {frontier}, which is not its block {height}"
            )));
        }
        ledger.confirm(&frontier);
    }
    let mut statement = connection
        .prepare("SELECT root, hash FROM final_votes")
        .map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    let mut final_votes = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let root = Root::from_bytes(row.get(0).map_err(failed)?);
        final_votes.push((root, BlockHash::from_bytes(row.get(1).map_err(failed)?)));
    }
    Ok(Content {
        ledger,
        final_votes,
    })
}

/// SQLite's reasons in this program's terms.
fn classify(path: &Path, source: rusqlite::Error) -> DevNodeError {
    let path: PathBuf = path.to_owned();
    match &source {
        rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
                DevNodeError::DatabaseInUse { path }
            }
            ErrorCode::NotADatabase => DevNodeError::ForeignDatabase {
                path,
                reason: "it is no SQLite file".to_owned(),
            },
            ErrorCode::DatabaseCorrupt => DevNodeError::CorruptDatabase {
                path,
                reason: source.to_string(),
            },
            _ => DevNodeError::Database { path, source },
        },
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::QueryReturnedNoRows
        | rusqlite::Error::SqlInputError { .. } => DevNodeError::CorruptDatabase {
            path,
            reason: source.to_string(),
        },
        _ => DevNodeError::Database { path, source },
    }
}
