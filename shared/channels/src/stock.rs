//! How a channel is told how much there is of what an account lists.
//!
//! Pure, as fetching is. What it is told is how many there are, and never how many more or fewer: told again it shows
//! the same. Whether it knows a listing is found out by the SKU, each time that it is told.

use jiff::Timestamp;

use crate::updates::Telling;
use crate::vendor::Vendor;
use crate::{Secret, Unreadable};

/// How many there are of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Available {
    /// What it is listed by, here and there.
    pub sku: String,
    /// Whole ones.
    pub quantity: i64,
}

/// Why a channel does not take what it was told of some listings, by SKU.
pub type Refusals = Vec<(String, String)>;

/// How a vendor's API is told how much there is.
pub trait Stock: Vendor {
    /// Listings that are told of together, at most.
    fn at_once(&self) -> usize;

    /// What to do next to tell it this, after these answers. Told means that it shows this of all listings but those
    /// that it refuses; refused, that it takes nothing of it, for what may be one listing's fault. `key` is the same
    /// only for the same, and `at` is now.
    fn set(
        &self,
        access: &Secret,
        key: &str,
        at: Timestamp,
        available: &[Available],
        answers: &[Vec<u8>],
    ) -> Result<Telling<Refusals>, Unreadable>;
}

/// What is said of a listing that a channel does not have.
pub(crate) const NO_PRODUCT: &str = "it has no product of this SKU";
/// What is said of a listing that is several of a channel's.
pub(crate) const SEVERAL_PRODUCTS: &str = "it has several products of this SKU";

/// What is said of a refusal, by the code that its channel gives: its sentences may quote what is nobody's business.
pub(crate) fn refused(code: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
    match (1..=64).contains(&code.len()) && code.bytes().all(plain) {
        true => format!("it refuses it: {code}"),
        false => "it refuses it".to_owned(),
    }
}
