//! How the members of an object are taken, each by its name.

use domain::{Currency, Quantity};

use super::{MoneyShape, Object, Value, join};

impl<'a> Object<'a> {
    /// Puts a member in, in the place of one that has its name.
    pub(crate) fn put(&mut self, name: &str, value: &Value<'a>) {
        self.members.insert(name.to_owned(), value.raw);
    }

    /// The members as a document.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(&self.members).unwrap_or_default()
    }

    /// Whether there is such a member, and it is not null.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.members
            .get(name)
            .is_some_and(|raw| raw.get() != "null")
    }

    /// The member's value; null is as good as missing.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value<'a>> {
        let raw = self.members.remove(name)?;
        (raw.get() != "null").then(|| Value {
            pointer: join(&self.pointer, name),
            raw,
            faults: self.faults,
        })
    }

    /// The member's value, which stays; null is as good as missing.
    pub(crate) fn peek(&self, name: &str) -> Option<Value<'a>> {
        let raw = self.members.get(name)?;
        (raw.get() != "null").then(|| Value {
            pointer: join(&self.pointer, name),
            raw,
            faults: self.faults,
        })
    }

    /// The member's value, which has to be there.
    pub(crate) fn require(&mut self, name: &str) -> Option<Value<'a>> {
        let value = self.take(name);
        if value.is_none() {
            self.faults.add(&join(&self.pointer, name), "is missing");
        }
        value
    }

    /// The member's text; empty when there is none.
    pub(crate) fn words(&mut self, name: &str) -> String {
        let text = self.take(name).and_then(|value| value.text());
        text.unwrap_or_default()
    }

    /// The member's amount; zero when there is none.
    pub(crate) fn amount(&mut self, name: &str, currency: Option<Currency>) -> i64 {
        let amount = self.take(name).and_then(|value| value.amount(currency));
        amount.unwrap_or(0)
    }

    /// The member's amount, which may be negative; zero when there is none.
    pub(crate) fn signed(&mut self, name: &str, currency: Option<Currency>) -> i64 {
        let amount = self
            .take(name)
            .and_then(|value| value.signed_amount(currency));
        amount.unwrap_or(0)
    }

    /// The currency and the amount, which may be negative, of a member that is an object of both.
    pub(crate) fn money(&mut self, name: &str, shape: MoneyShape) -> Option<(Currency, i64)> {
        let mut money = self.inner(name)?;
        let currency = money.require(shape.currency)?.currency()?;
        let amount = money.require(shape.amount)?;
        let minor = match shape.minor {
            true => amount.minor()?,
            false => amount.signed_amount(Some(currency))?,
        };
        Some((currency, minor))
    }

    /// The same of the order's total, which has to be there.
    pub(crate) fn total(&mut self, name: &str, shape: MoneyShape) -> Option<(Currency, i64)> {
        if !self.has(name) {
            self.require(name)?;
        }
        self.money(name, shape)
    }

    /// The amount of such a member, which has to be in the order's currency; zero when there is none.
    pub(crate) fn money_in(
        &mut self,
        name: &str,
        shape: MoneyShape,
        currency: Option<Currency>,
    ) -> i64 {
        match (self.money(name, shape), currency) {
            (Some((found, _)), Some(expected)) if found != expected => {
                let detail = format!("expected {expected}, as the order has, found {found}");
                self.faults.add(&join(&self.pointer, name), detail);
                0
            }
            (Some((_, minor)), _) => minor,
            (None, _) => 0,
        }
    }

    /// The member's own members, if it is an object.
    pub(crate) fn inner(&mut self, name: &str) -> Option<Object<'a>> {
        self.take(name)?.object()
    }

    /// The values of the member's list; none when there is no list.
    pub(crate) fn items(&mut self, name: &str) -> Vec<Value<'a>> {
        let list = self.take(name).and_then(|value| value.list());
        list.unwrap_or_default()
    }

    /// The objects in the member's list.
    pub(crate) fn objects(&mut self, name: &str) -> Vec<Object<'a>> {
        let items = self.items(name).into_iter();
        items.filter_map(|value| value.object()).collect()
    }

    /// The member's quantity; zero, which is refused of a line, when there is none.
    pub(crate) fn units(&mut self, name: &str) -> Quantity {
        let units = self.require(name).and_then(|value| value.units());
        units.unwrap_or_default()
    }

    /// The member's quantity; nothing when there is none.
    pub(crate) fn units_if_any(&mut self, name: &str) -> Quantity {
        let units = self.take(name).and_then(|value| value.units());
        units.unwrap_or_default()
    }

    /// The lines of the order, each read.
    pub(crate) fn lines<T>(
        &mut self,
        name: &str,
        read: impl FnMut(Object<'a>) -> Option<T>,
    ) -> Vec<T> {
        let lines = self.require(name).and_then(|lines| lines.lines());
        let lines = lines.unwrap_or_default().into_iter();
        lines
            .filter_map(|value| value.object())
            .filter_map(read)
            .collect()
    }

    /// The member's truth; `default` when there is none.
    pub(crate) fn flag(&mut self, name: &str, default: bool) -> bool {
        let flag = self.take(name).and_then(|value| value.flag());
        flag.unwrap_or(default)
    }

    /// Records every member that nobody took: most are misspelt.
    pub(crate) fn deny_rest(self) {
        for name in self.members.keys() {
            let pointer = join(&self.pointer, name);
            self.faults.add(&pointer, "is not a field of this document");
        }
    }
}
