//! A template, and the questions that rules ask it.

use std::path::PathBuf;

use serde_json::Value;

/// A parsed template.
#[derive(Clone)]
pub struct Template {
    /// All of it.
    pub value: Value,
    /// The functions that there is code for: the names of the folders.
    pub folders: Vec<String>,
}

impl Template {
    /// Reads the project's own.
    pub fn load() -> Result<Self, String> {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
        let path = root.join("infra/template.yaml");
        let text = std::fs::read_to_string(&path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let value = serde_saphyr::from_str(&text).map_err(|error| error.to_string())?;
        let mut folders = std::fs::read_dir(root.join("functions"))
            .and_then(|entries| {
                entries
                    .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
                    .collect::<std::io::Result<Vec<_>>>()
            })
            .map_err(|error| format!("functions: {error}"))?;
        folders.sort();
        Ok(Self { value, folders })
    }

    /// Every resource of a type with its properties.
    pub fn resources<'a>(
        &'a self,
        kind: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Value)> + 'a {
        self.all()
            .filter(move |(_, resource)| resource["Type"] == kind)
            .map(|(id, resource)| (id, &resource["Properties"]))
    }

    /// Every resource.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.value["Resources"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(id, resource)| (id.as_str(), resource))
    }

    /// Whether there is a resource of this type and name.
    pub fn has(&self, kind: &str, id: &str) -> bool {
        self.value["Resources"][id]["Type"] == kind
    }

    /// The least and the greatest number that a property can have; a parameter says its own bounds.
    pub fn bounds(&self, value: &Value) -> Option<(u64, u64)> {
        if let Some(number) = value.as_u64() {
            return Some((number, number));
        }
        let parameter = &self.value["Parameters"][value["Ref"].as_str()?];
        let bound = |name: &str| parameter[name].as_u64();
        Some((bound("MinValue")?, bound("MaxValue")?))
    }

    /// The functions: name of the folder, logical id and properties.
    pub fn functions(&self) -> impl Iterator<Item = (String, &str, &Value)> {
        self.resources("AWS::Serverless::Function")
            .map(|(id, properties)| (kebab(id), id, properties))
    }

    /// The variables of a function; the global ones are not among them.
    pub fn variables(function: &Value) -> impl Iterator<Item = (&str, &Value)> {
        function["Environment"]["Variables"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.as_str(), value))
    }

    /// The queues that functions take their work from.
    pub fn work_queues(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.resources("AWS::SQS::Queue")
            .filter(|(id, _)| !id.ends_with("DeadLetters"))
    }
}

/// The resource or parameter that a `Ref` or `Fn::GetAtt` points to.
pub fn target(value: &Value) -> Option<&str> {
    value["Ref"]
        .as_str()
        .or_else(|| value["Fn::GetAtt"][0].as_str())
}

/// `AcceptOrder` as `accept-order`.
pub fn kebab(id: &str) -> String {
    let mut name = String::new();
    for letter in id.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

/// `ORDERS_TABLE` as `OrdersTable`.
pub fn pascal(variable: &str) -> String {
    variable
        .split('_')
        .flat_map(|word| {
            word.chars().enumerate().map(|(place, letter)| match place {
                0 => letter,
                _ => letter.to_ascii_lowercase(),
            })
        })
        .collect()
}

/// The fault, where a condition does not hold.
pub fn fault(holds: bool, text: impl FnOnce() -> String) -> Option<String> {
    (!holds).then(text)
}
