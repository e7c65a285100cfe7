//! The tables, their version, and the statements on them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use nano_core::UnixMillis;
use rusqlite::{Connection, OptionalExtension, params};

/// Version of the tables this build writes.
const SCHEMA: i64 = 2;
/// Largest value kept, in bytes: a record with its lineage stays far below (overlay bulk limit).
pub const MAX_VALUE_BYTES: usize = 1024 * 1024;
/// Endpoints of full nodes read at start; the longest unreached ones are left behind.
const MAX_PEERS: i64 = 512;
/// Name of the database file in the data folder.
const FILE: &str = "bridge.sqlite";

/// Why the storage cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder could not be made.
    #[error("cannot create the data folder {path}: {source}; check --data and its permissions")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// SQLite refused.
    #[error(
        "the database {path} failed: {source}; check disk space and permissions, or move the file away to start empty"
    )]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// Written by a newer build.
    #[error(
        "the database {path} has version {found}, this build knows {SCHEMA}; run the newer bridge-server, or move the file away to start empty"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
    },
    /// A value larger than is ever kept.
    #[error("a value of {size} bytes was not stored; at most {MAX_VALUE_BYTES} are")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
    },
    /// The storage thread has ended.
    #[error("the storage is closed; the bridge is stopping")]
    Closed,
    /// The storage thread could not be started.
    #[error("cannot start the storage thread: {0}")]
    Thread(std::io::Error),
}

/// One open database.
pub(super) struct Tables {
    connection: Connection,
    path: PathBuf,
}

impl Tables {
    /// Opens or creates the database in `folder`; `None` = in memory.
    pub(super) fn open(folder: Option<&Path>) -> Result<Self, StoreError> {
        let (opened, path) = match folder {
            None => (Connection::open_in_memory(), PathBuf::from(":memory:")),
            Some(folder) => {
                std::fs::create_dir_all(folder).map_err(|source| StoreError::Folder {
                    path: folder.into(),
                    source,
                })?;
                let path = folder.join(FILE);
                (Connection::open(&path), path)
            }
        };
        let connection = opened.map_err(|source| StoreError::Sqlite {
            path: path.clone(),
            source,
        })?;
        let tables = Self { connection, path };
        tables.migrate()?;
        Ok(tables)
    }

    fn migrate(&self) -> Result<(), StoreError> {
        let found: i64 = self
            .connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(|e| self.failed(e))?;
        if found > SCHEMA {
            return Err(StoreError::Newer {
                path: self.path.clone(),
                found,
            });
        }
        self.connection
            .execute_batch(
                "PRAGMA journal_mode = WAL;
                 PRAGMA synchronous = NORMAL;
                 CREATE TABLE IF NOT EXISTS meta (
                     name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
                 CREATE TABLE IF NOT EXISTS record (
                     key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
                 CREATE TABLE IF NOT EXISTS pending (
                     hash BLOB PRIMARY KEY, block BLOB NOT NULL, since INTEGER NOT NULL)
                     WITHOUT ROWID;
                 CREATE TABLE IF NOT EXISTS peer (
                     endpoint TEXT PRIMARY KEY, reached INTEGER NOT NULL) WITHOUT ROWID;
                 PRAGMA user_version = 2;",
            )
            .map_err(|e| self.failed(e))
    }

    pub(super) fn failed(&self, source: rusqlite::Error) -> StoreError {
        StoreError::Sqlite {
            path: self.path.clone(),
            source,
        }
    }

    pub(super) fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.connection
            .query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| {
                row.get(0)
            })
            .optional()
            .map_err(|e| self.failed(e))
    }

    /// Every record, as (key, value), in the order of keys.
    pub(super) fn records(&self) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let mut statement = self
            .connection
            .prepare("SELECT key, value FROM record ORDER BY key")
            .map_err(|e| self.failed(e))?;
        let rows = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .map_err(|e| self.failed(e))?;
        rows.collect::<Result<_, _>>().map_err(|e| self.failed(e))
    }

    /// Every pending transaction, oldest first.
    pub(super) fn pending(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut statement = self
            .connection
            .prepare("SELECT block FROM pending ORDER BY since, hash")
            .map_err(|e| self.failed(e))?;
        let rows = statement
            .query_map([], |row| row.get(0))
            .map_err(|e| self.failed(e))?;
        rows.collect::<Result<_, _>>().map_err(|e| self.failed(e))
    }

    /// Endpoints of full nodes, the last reached first, at most [`MAX_PEERS`]; text that is no
    /// endpoint is left out.
    pub(super) fn peers(&self) -> Result<Vec<(SocketAddr, UnixMillis)>, StoreError> {
        let mut statement = self
            .connection
            .prepare("SELECT endpoint, reached FROM peer ORDER BY reached DESC, endpoint LIMIT ?1")
            .map_err(|e| self.failed(e))?;
        let rows = statement
            .query_map([MAX_PEERS], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
            })
            .map_err(|e| self.failed(e))?;
        let all = rows
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| self.failed(e))?;
        let parsed = all.into_iter().filter_map(|(endpoint, reached)| {
            let reached = u64::try_from(reached).ok()?;
            Some((endpoint.parse().ok()?, UnixMillis(reached)))
        });
        Ok(parsed.collect())
    }

    /// Applies `writes` in one transaction: all or none.
    pub(super) fn apply(&mut self, writes: &[super::Write]) -> Result<(), StoreError> {
        let path = self.path.clone();
        let failed = |source| StoreError::Sqlite {
            path: path.clone(),
            source,
        };
        let transaction = self.connection.transaction().map_err(failed)?;
        for write in writes {
            match write {
                super::Write::Meta { name, value } => transaction.execute(
                    "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)",
                    params![name, value],
                ),
                super::Write::PutRecord { key, value } => transaction.execute(
                    "INSERT OR REPLACE INTO record (key, value) VALUES (?1, ?2)",
                    params![key, value],
                ),
                super::Write::RemoveRecord { key } => {
                    transaction.execute("DELETE FROM record WHERE key = ?1", params![key])
                }
                super::Write::PutPending { hash, block, since } => transaction.execute(
                    "INSERT OR REPLACE INTO pending (hash, block, since) VALUES (?1, ?2, ?3)",
                    params![
                        hash.as_slice(),
                        block,
                        i64::try_from(since.0).unwrap_or(i64::MAX)
                    ],
                ),
                super::Write::PutPeer { endpoint, reached } => transaction.execute(
                    "INSERT OR REPLACE INTO peer (endpoint, reached) VALUES (?1, ?2)",
                    params![
                        endpoint.to_string(),
                        i64::try_from(reached.0).unwrap_or(i64::MAX)
                    ],
                ),
                super::Write::RemovePeer { endpoint } => transaction.execute(
                    "DELETE FROM peer WHERE endpoint = ?1",
                    params![endpoint.to_string()],
                ),
                super::Write::RemovePending { hash } => transaction.execute(
                    "DELETE FROM pending WHERE hash = ?1",
                    params![hash.as_slice()],
                ),
            }
            .map_err(failed)?;
        }
        transaction.commit().map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_of_a_newer_build_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        drop(Tables::open(Some(folder.path())).unwrap());
        let path = folder.path().join(FILE);
        Connection::open(&path)
            .unwrap()
            .execute_batch("PRAGMA user_version = 99")
            .unwrap();
        let error = Tables::open(Some(folder.path())).err().unwrap();
        assert!(
            matches!(error, StoreError::Newer { found: 99, .. }),
            "{error}"
        );
    }

    #[test]
    fn a_database_of_the_first_version_gains_the_table_of_peers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        Connection::open(&path)
            .unwrap()
            .execute_batch(
                "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
                 INSERT INTO meta VALUES ('identity', x'07');
                 PRAGMA user_version = 1",
            )
            .unwrap();
        let mut tables = Tables::open(Some(folder.path())).unwrap();
        assert_eq!(tables.meta("identity").unwrap(), Some(vec![7]));
        assert!(tables.peers().unwrap().is_empty());
        let endpoint = "127.0.0.1:7075".parse().unwrap();
        let reached = UnixMillis(5);
        let write = crate::store::Write::PutPeer { endpoint, reached };
        tables.apply(&[write]).unwrap();
        assert_eq!(tables.peers().unwrap(), [(endpoint, reached)]);
    }

    #[test]
    fn a_file_that_is_no_database_is_named_in_the_error() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), vec![7_u8; 8192]).unwrap();
        let message = Tables::open(Some(folder.path())).err().unwrap().to_string();
        assert!(message.contains(FILE), "{message}");
    }
}
