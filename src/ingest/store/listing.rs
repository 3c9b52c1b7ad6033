//! Assets by what is said of them, page by page.

use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AssertSqlSafe, Row};

use super::columns;
use crate::ingest::asset::Asset;

/// Which assets of a customer. Those that are retired are in none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Of a space, if all conditions hold.
    Space {
        space: i64,
        conditions: Vec<Condition>,
    },
    /// Those for which this batch is the last one.
    Batch(i64),
    /// Of these, those that were ingested.
    Completed(i64),
    /// Of these, those that could not be.
    Failed(i64),
    /// Those that the batch was submitted with.
    Submitted(i64),
}

/// What is compared, and ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field(&'static str);

/// A field, and what it has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    Text(Field, String),
    Number(Field, i64),
}

const TEXTS: [&str; 5] = ["id", "origin", "string1", "string2", "string3"];
const NUMBERS: [&str; 8] = [
    "number1", "number2", "number3", "width", "height", "batch", "created", "finished",
];

impl Field {
    /// Of the name that it has in JSON. `None` if it cannot be compared.
    pub fn named(name: &str) -> Option<Self> {
        let mut names = TEXTS.iter().chain(&NUMBERS);
        names.find(|known| **known == name).map(|known| Self(known))
    }

    pub fn is_text(self) -> bool {
        TEXTS.contains(&self.0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// `None` for the order of pages and batches, and then of identifiers.
    pub by: Option<Field>,
    pub is_descending: bool,
}

/// A page of a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// From 1.
    pub page: u32,
    pub size: u32,
}

impl Window {
    pub fn size(self) -> i64 {
        self.size.into()
    }

    pub fn offset(self) -> i64 {
        i64::from(self.page.saturating_sub(1)) * self.size()
    }
}

/// A page of a listing, and how many there are on all.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing<T> {
    pub total: i64,
    pub members: Vec<T>,
}

pub async fn assets(
    c: &mut AnyConnection,
    customer: i64,
    filter: &Filter,
    order: Order,
    window: Window,
) -> sqlx::Result<Listing<Asset>> {
    let from = format!(
        "FROM ingest_assets a {} WHERE a.customer = $1 AND a.retired = 0 AND {}",
        filter.join(),
        filter.condition()
    );
    let counting = format!("SELECT COUNT(*) AS total {from}");
    let counting = sqlx::query(AssertSqlSafe(counting)).bind(customer);
    let total = filter.bind(counting).fetch_one(&mut *c).await?;
    let asking = format!(
        "SELECT {} {from} ORDER BY {} LIMIT {} OFFSET {}",
        columns::ASSET,
        order.sql(filter),
        window.size(),
        window.offset()
    );
    let asking = sqlx::query(AssertSqlSafe(asking)).bind(customer);
    let rows = filter.bind(asking).fetch_all(c).await?;
    Ok(Listing {
        total: total.try_get("total")?,
        members: rows
            .iter()
            .map(columns::asset)
            .collect::<sqlx::Result<_>>()?,
    })
}

impl Filter {
    fn join(&self) -> &'static str {
        match self {
            Self::Submitted(_) => {
                "JOIN ingest_batch_assets s ON s.space = a.space AND s.asset = a.id"
            }
            _ => "",
        }
    }

    /// `$1` is the customer.
    fn condition(&self) -> String {
        match self {
            Self::Batch(_) => "a.batch = $2".to_owned(),
            Self::Completed(_) => {
                "a.batch = $2 AND a.finished IS NOT NULL AND a.error IS NULL".to_owned()
            }
            Self::Failed(_) => "a.batch = $2 AND a.error IS NOT NULL".to_owned(),
            Self::Submitted(_) => "s.batch = $2".to_owned(),
            Self::Space { conditions, .. } => {
                let mut text = "a.space = $2".to_owned();
                for (condition, number) in conditions.iter().zip(3..) {
                    let (Condition::Text(field, _) | Condition::Number(field, _)) = condition;
                    text.push_str(&format!(" AND a.{} = ${number}", field.0));
                }
                text
            }
        }
    }

    fn bind<'q>(&self, query: Query<'q, Any, AnyArguments>) -> Query<'q, Any, AnyArguments> {
        match self {
            Self::Batch(batch)
            | Self::Completed(batch)
            | Self::Failed(batch)
            | Self::Submitted(batch) => query.bind(*batch),
            Self::Space { space, conditions } => {
                let query = query.bind(*space);
                conditions
                    .iter()
                    .fold(query, |query, condition| match condition {
                        Condition::Text(_, text) => query.bind(text.clone()),
                        Condition::Number(_, number) => query.bind(*number),
                    })
            }
        }
    }
}

impl Order {
    fn sql(self, filter: &Filter) -> String {
        let direction = if self.is_descending { "DESC" } else { "ASC" };
        match (self.by, filter) {
            (Some(field), _) => format!("a.{} {direction}, a.id {direction}", field.0),
            (None, Filter::Space { .. }) => format!("a.id {direction}"),
            (None, Filter::Submitted(_)) => format!("s.position {direction}"),
            (None, _) => format!("a.position {direction}, a.id {direction}"),
        }
    }
}
