//! What an operator asks for: which messages, and how many.

use domain::limits::{MAX_NAME_CHARS, MAX_PARKED};
use domain::{Problem, Step};
use serde::Deserialize;

/// The body of `POST /parked/redrive`, as it comes.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Body {
    ids: Option<Vec<String>>,
    step: Option<String>,
    all: Option<bool>,
}

/// Which messages are to go back.
#[derive(Debug, PartialEq)]
pub(crate) enum Wish {
    Ids(Vec<String>),
    Step(Step),
    All,
}

impl Wish {
    /// What the body asks for, or everything that is wrong with it.
    pub(crate) fn read(body: Body) -> Result<Self, Vec<Problem>> {
        let given = [
            ("ids", body.ids.is_some()),
            ("step", body.step.is_some()),
            ("all", body.all.is_some()),
        ];
        let given = given.into_iter().filter(|(_, given)| *given);
        let given: Vec<&str> = given.map(|(name, _)| name).collect();
        match (body.ids, body.step, body.all) {
            (Some(ids), None, None) => Self::of_ids(ids),
            (None, Some(name), None) => match step("/step", &name) {
                Ok(step) => Ok(Self::Step(step)),
                Err(problem) => Err(vec![problem]),
            },
            (None, None, Some(true)) => Ok(Self::All),
            (None, None, Some(false)) => {
                Err(vec![Problem::at("/all", "expected true, found false")])
            }
            _ => {
                let found = match given.is_empty() {
                    true => "none of them".to_owned(),
                    false => given.join(" and "),
                };
                let detail = format!("expected one of ids, step and all, found {found}");
                Err(vec![Problem::at("", detail)])
            }
        }
    }

    fn of_ids(ids: Vec<String>) -> Result<Self, Vec<Problem>> {
        if !(1..=MAX_PARKED).contains(&ids.len()) {
            let detail = format!("expected 1 to {MAX_PARKED} ids, found {}", ids.len());
            return Err(vec![Problem::at("/ids", detail)]);
        }
        let lengths = ids.iter().map(|id| id.chars().count()).enumerate();
        let wrong = lengths.filter(|(_, length)| !(1..=MAX_NAME_CHARS).contains(length));
        let problems: Vec<Problem> = wrong
            .map(|(n, length)| {
                let detail = format!("expected 1 to {MAX_NAME_CHARS} characters, found {length}");
                Problem::at(format!("/ids/{n}"), detail)
            })
            .collect();
        match problems.is_empty() {
            true => Ok(Self::Ids(ids)),
            false => Err(problems),
        }
    }

    /// The steps whose dead letters have to be looked at.
    pub(crate) fn steps(&self) -> Vec<Step> {
        match self {
            Self::Step(step) => vec![*step],
            Self::Ids(_) | Self::All => Step::ALL.to_vec(),
        }
    }

    /// Whether a message is among those that are to go back.
    pub(crate) fn names(&self, id: &str) -> bool {
        match self {
            Self::Ids(ids) => ids.iter().any(|named| named == id),
            Self::Step(_) | Self::All => true,
        }
    }
}

/// The step of a name.
pub(crate) fn step(pointer: &str, name: &str) -> Result<Step, Problem> {
    Step::named(name).ok_or_else(|| {
        let steps = Step::ALL.map(Step::name).join(", ");
        Problem::at(pointer, format!("expected one of {steps}, found {name:?}"))
    })
}

/// How many messages to list: what the query says, else as many as can be.
pub(crate) fn limit(text: Option<&str>) -> Result<usize, Problem> {
    let Some(text) = text else {
        return Ok(MAX_PARKED);
    };
    let number = text.parse().ok().filter(|n| (1..=MAX_PARKED).contains(n));
    number.ok_or_else(|| {
        let detail = format!("expected a limit of 1 to {MAX_PARKED}, found {text:?}");
        Problem::at("", detail)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(body: Value) -> Result<Wish, Vec<String>> {
        let wish = Wish::read(serde_json::from_value(body).unwrap());
        wish.map_err(|problems| problems.into_iter().map(|p| p.pointer).collect())
    }

    #[test]
    fn exactly_one_thing_is_asked_for() {
        let ids = vec!["m-1".to_owned(), "m-2".to_owned()];
        assert_eq!(read(json!({"ids": &ids})), Ok(Wish::Ids(ids)));
        assert_eq!(
            read(json!({"step": "ship-order"})),
            Ok(Wish::Step(Step::ShipOrder))
        );
        assert_eq!(read(json!({"all": true})), Ok(Wish::All));
        for (body, pointer) in [
            (json!({}), ""),
            (json!({"ids": ["m-1"], "all": true}), ""),
            (json!({"step": "ship-order", "all": true}), ""),
            (
                json!({"ids": ["m-1"], "step": "ship-order", "all": true}),
                "",
            ),
            (json!({"all": false}), "/all"),
            (json!({"step": "pack-order"}), "/step"),
            (json!({"step": ""}), "/step"),
            (json!({"ids": []}), "/ids"),
            (json!({"ids": ["m-1", ""]}), "/ids/1"),
        ] {
            assert_eq!(read(body.clone()), Err(vec![pointer.to_owned()]), "{body}");
        }
    }

    #[test]
    fn limits_hold_at_their_edges() {
        let ids = |count: usize| json!({"ids": vec!["m"; count]});
        assert!(read(ids(MAX_PARKED)).is_ok());
        assert_eq!(read(ids(MAX_PARKED + 1)), Err(vec!["/ids".to_owned()]));
        let id = |length: usize| json!({"ids": ["é".repeat(length)]});
        assert!(read(id(MAX_NAME_CHARS)).is_ok());
        assert_eq!(read(id(MAX_NAME_CHARS + 1)), Err(vec!["/ids/0".to_owned()]));

        let most = MAX_PARKED.to_string();
        let more = (MAX_PARKED + 1).to_string();
        assert_eq!(limit(None), Ok(MAX_PARKED));
        assert_eq!(limit(Some("1")), Ok(1));
        assert_eq!(limit(Some(&most)), Ok(MAX_PARKED));
        for bad in ["0", &more, "-1", "", "many", "1.5"] {
            assert!(limit(Some(bad)).is_err(), "{bad}");
        }
    }
}
