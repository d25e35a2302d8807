//! The rows of a database in a file, a line each, and back. The same file is made of both databases and goes into both.
//!
//! A table begins with an object that names it and its columns; its rows follow as arrays. A BLOB is an object that has it in base64.

use std::io::{BufRead, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};
use sqlx::AnyConnection;
use sqlx::any::{AnyRow, AnyTypeInfoKind};
use sqlx::{Column as _, Row as _, TypeInfo as _, ValueRef as _};

use super::super::StoreError;
use super::super::database::Kind;

/// A table and the columns of the rows that follow.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    table: String,
    columns: Vec<String>,
}

/// A value of the types that the migrations use.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Value {
    Null,
    Number(i64),
    Text(String),
    Blob { blob: String },
}

/// A line of the file.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Table(Table),
    Row(Vec<Value>),
}

/// Who has it open, and which migrations ran: of the database that is left, not of what is in it.
const LEFT_OUT: [&str; 2] = ["holders", "_sqlx_migrations"];

fn failed(reason: sqlx::Error) -> StoreError {
    StoreError::database("be copied row by row")(reason)
}

/// Tables in an order in which none refers to a later one. In which they were made tells nothing: `pg_dump` makes them by their names.
async fn tables(connection: &mut AnyConnection, kind: Kind) -> Result<Vec<String>, StoreError> {
    let (names, references) = match kind {
        Kind::Sqlite => (
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY name",
            "SELECT name, \"table\" FROM sqlite_master, pragma_foreign_key_list(name) WHERE type = 'table'",
        ),
        Kind::Postgres => (
            "SELECT relname::text FROM pg_catalog.pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace \
                ORDER BY 1",
            "SELECT child.relname::text, parent.relname::text FROM pg_catalog.pg_constraint \
                JOIN pg_catalog.pg_class child ON child.oid = conrelid JOIN pg_catalog.pg_class parent ON parent.oid = confrelid \
                WHERE contype = 'f' AND connamespace = current_schema()::regnamespace",
        ),
    };
    let names = sqlx::query_scalar::<_, String>(names).fetch_all(&mut *connection).await.map_err(failed)?;
    let references = sqlx::query_as::<_, (String, String)>(references).fetch_all(connection).await.map_err(failed)?;
    Ok(in_order(names.into_iter().filter(|name| !LEFT_OUT.contains(&name.as_str())).collect(), &references))
}

/// Names so that each comes after those that it refers to, as (name, other) pairs say. What refers in a circle comes last.
fn in_order(mut left: Vec<String>, references: &[(String, String)]) -> Vec<String> {
    let mut ordered: Vec<String> = Vec::with_capacity(left.len());
    loop {
        let waits = |name: &String| {
            references.iter().any(|(from, to)| from == name && to != name && !ordered.contains(to) && left.contains(to))
        };
        let (later, now): (Vec<_>, Vec<_>) = left.iter().cloned().partition(waits);
        if now.is_empty() {
            ordered.extend(later);
            return ordered;
        }
        ordered.extend(now);
        left = later;
    }
}

/// How many tables there are.
pub(super) async fn count(connection: &mut AnyConnection, kind: Kind) -> Result<usize, StoreError> {
    tables(connection, kind).await.map(|tables| tables.len())
}

/// Writes all rows.
pub(in crate::store) async fn write(connection: &mut AnyConnection, kind: Kind, to: &mut impl Write) -> Result<(), StoreError> {
    for table in tables(connection, kind).await? {
        let query = format!("SELECT * FROM {table} ORDER BY 1");
        let mut rows = sqlx::query(&query).fetch(&mut *connection);
        let mut first = true;
        while let Some(row) = rows.next().await {
            let row = row.map_err(failed)?;
            if first {
                let columns = row.columns().iter().map(|column| column.name().to_owned()).collect();
                line(to, &Table { table: table.clone(), columns })?;
                first = false;
            }
            line(to, &values(&row)?)?;
        }
    }
    Ok(())
}

fn line(to: &mut impl Write, value: &impl Serialize) -> Result<(), StoreError> {
    let mut bytes = serde_json::to_vec(value).map_err(|_| StoreError::Json)?;
    bytes.push(b'\n');
    to.write_all(&bytes).map_err(StoreError::io("write", std::path::Path::new("rows.jsonl")))
}

fn values(row: &AnyRow) -> Result<Vec<Value>, StoreError> {
    let value = |index: usize| -> Result<Value, sqlx::Error> {
        let raw = row.try_get_raw(index)?;
        if raw.is_null() {
            return Ok(Value::Null);
        }
        match raw.type_info().kind() {
            AnyTypeInfoKind::SmallInt | AnyTypeInfoKind::Integer | AnyTypeInfoKind::BigInt => {
                row.try_get(index).map(Value::Number)
            }
            AnyTypeInfoKind::Text => row.try_get(index).map(Value::Text),
            AnyTypeInfoKind::Blob => Ok(Value::Blob { blob: STANDARD.encode(row.try_get::<Vec<u8>, _>(index)?) }),
            _ => Err(sqlx::Error::TypeNotFound { type_name: raw.type_info().name().to_owned() }),
        }
    };
    (0..row.columns().len()).map(value).collect::<Result<_, _>>().map_err(failed)
}

/// Puts rows into a database of their form whose tables are as the migrations leave them, all or none.
pub(in crate::store) async fn read(connection: &mut AnyConnection, kind: Kind, from: impl BufRead) -> Result<(), StoreError> {
    let tables = tables(connection, kind).await?;
    let mut all = sqlx::Connection::begin(connection).await.map_err(failed)?;
    for table in tables.iter().rev() {
        sqlx::query(&format!("DELETE FROM {table}")).execute(&mut *all).await.map_err(failed)?;
    }
    let mut current: Option<Table> = None;
    for (number, text) in from.lines().enumerate() {
        let text = text.map_err(StoreError::io("read", std::path::Path::new("rows.jsonl")))?;
        let damaged = || StoreError::BadBackup { what: format!("line {} of its rows", number + 1) };
        match (serde_json::from_str(&text).map_err(|_| damaged())?, &current) {
            (Line::Table(table), _) => {
                let plain =
                    |name: &String| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
                if !tables.contains(&table.table) || !table.columns.iter().all(plain) {
                    return Err(damaged());
                }
                current = Some(table);
            }
            (Line::Row(row), Some(table)) if row.len() == table.columns.len() => {
                insert(&mut all, table, row).await?.ok_or_else(damaged)?;
            }
            _ => return Err(damaged()),
        }
    }
    if kind == Kind::Postgres {
        go_on_numbering(&mut all).await?;
    }
    all.commit().await.map_err(failed)
}

/// Nothing where a value is none.
async fn insert(connection: &mut AnyConnection, table: &Table, row: Vec<Value>) -> Result<Option<()>, StoreError> {
    let mut bound = 0;
    let mut place = |value: &Value| {
        if matches!(value, Value::Null) {
            return "NULL".to_owned();
        }
        bound += 1;
        format!("${bound}")
    };
    let places = row.iter().map(&mut place).collect::<Vec<_>>().join(", ");
    let statement = format!("INSERT INTO {} ({}) VALUES ({places})", table.table, table.columns.join(", "));
    let mut query = sqlx::query(&statement);
    for value in row {
        query = match value {
            Value::Null => query,
            Value::Number(number) => query.bind(number),
            Value::Text(text) => query.bind(text),
            Value::Blob { blob } => {
                let Ok(bytes) = STANDARD.decode(blob) else { return Ok(None) };
                query.bind(bytes)
            }
        };
    }
    query.execute(connection).await.map(|_| Some(())).map_err(failed)
}

/// PostgreSQL does not count numbers that it is given.
async fn go_on_numbering(connection: &mut AnyConnection) -> Result<(), StoreError> {
    let query = "SELECT table_name::text, column_name::text FROM information_schema.columns \
        WHERE is_identity = 'YES' AND table_schema = current_schema()";
    for (table, column) in sqlx::query_as::<_, (String, String)>(query).fetch_all(&mut *connection).await.map_err(failed)? {
        let count = format!(
            "SELECT setval(pg_get_serial_sequence('{table}', '{column}'), (SELECT coalesce(max({column}), 0) + 1 FROM {table}), false)"
        );
        sqlx::query(&count).execute(&mut *connection).await.map_err(failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_referred_to_comes_first() {
        let names = ["consents", "notes", "patients", "recordings", "ways"].map(str::to_owned).to_vec();
        let references =
            [("consents", "patients"), ("notes", "recordings"), ("ways", "consents"), ("ways", "ways"), ("notes", "elsewhere")];
        let references = references.map(|(from, to)| (from.to_owned(), to.to_owned()));
        assert_eq!(in_order(names, &references), ["patients", "recordings", "consents", "notes", "ways"]);
        let circle = [("a", "b"), ("b", "a")].map(|(from, to)| (from.to_owned(), to.to_owned()));
        assert_eq!(in_order(vec!["a".to_owned(), "b".to_owned()], &circle), ["a", "b"], "nothing is left out");
    }
}
