//! `docs/openapi.yaml`, read.

use std::collections::BTreeMap;

use jsonschema::Validator;
use serde_json::{Map, Value, json};

const TEXT: &str = include_str!("../../../docs/openapi.yaml");
const METHODS: [&str; 4] = ["get", "put", "post", "delete"];

/// The whole document.
pub struct Document(Value);

/// One operation of it: a method of a path.
#[derive(Clone, Copy)]
pub struct Operation<'d> {
    document: &'d Document,
    /// Its path, with the names of its parts in braces.
    pub path: &'d str,
    /// Its method, in lower case.
    pub method: &'d str,
    value: &'d Value,
}

impl Document {
    /// The document as it is in the repository.
    pub fn load() -> Self {
        Self(serde_saphyr::from_str(TEXT).unwrap())
    }

    /// All of it.
    pub fn root(&self) -> &Value {
        &self.0
    }

    /// What is meant: the value itself, or that which it refers to.
    pub fn resolve<'d>(&'d self, value: &'d Value) -> &'d Value {
        match value.get("$ref").and_then(Value::as_str) {
            Some(reference) => {
                let target = self.0.pointer(reference.trim_start_matches('#'));
                self.resolve(target.unwrap_or_else(|| panic!("{reference} is not there")))
            }
            None => value,
        }
    }

    /// Every operation.
    pub fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        object(&self.0["paths"])
            .iter()
            .flat_map(move |(path, item)| {
                let methods = object(item).iter();
                let methods = methods.filter(|(method, _)| METHODS.contains(&method.as_str()));
                methods.map(move |(method, value)| Operation {
                    document: self,
                    path,
                    method,
                    value,
                })
            })
    }

    /// The operation of an id.
    pub fn operation(&self, id: &str) -> Operation<'_> {
        let found = self.operations().find(|operation| operation.id() == id);
        found.unwrap_or_else(|| panic!("there is no operation {id}"))
    }

    /// What checks values against a schema of the document.
    pub fn validator(&self, schema: &Value) -> Validator {
        let whole = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "allOf": [schema],
            "components": self.0["components"],
        });
        let options = jsonschema::options().should_validate_formats(true);
        options.build(&whole).unwrap()
    }

    /// What is wrong with a value.
    pub fn faults(&self, schema: &Value, value: &Value) -> Vec<String> {
        let validator = self.validator(schema);
        let faults = validator.iter_errors(value);
        faults
            .map(|fault| format!("{}: {fault}", fault.instance_path()))
            .collect()
    }
}

impl<'d> Operation<'d> {
    /// Its name for programs.
    pub fn id(&self) -> &'d str {
        self.value["operationId"].as_str().unwrap()
    }

    /// What the document says of it.
    pub fn value(&self) -> &'d Value {
        self.value
    }

    /// Its parameters.
    pub fn parameters(&self) -> Vec<&'d Value> {
        let parameters = self.value["parameters"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        parameters
            .iter()
            .map(|parameter| self.document.resolve(parameter))
            .collect()
    }

    /// The roles that may; none where no key is asked for.
    pub fn roles(&self) -> Vec<&'d str> {
        let own = self.value.get("security");
        let security = own.unwrap_or(&self.document.0["security"]);
        let bearer = security
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|one| one.get("bearer"));
        bearer.map(|roles| roles[0].as_str().unwrap()).collect()
    }

    /// The schema of its request's body, if it takes one.
    pub fn request_schema(&self) -> Option<&'d Value> {
        self.value
            .pointer("/requestBody/content/application~1json/schema")
    }

    /// The examples of its request's body.
    pub fn request_examples(&self) -> BTreeMap<&'d str, &'d Value> {
        let examples = self
            .value
            .pointer("/requestBody/content/application~1json/examples");
        let examples = examples.into_iter().flat_map(object);
        examples
            .map(|(name, example)| (name.as_str(), &example["value"]))
            .collect()
    }

    /// Its answers: status, content type, and what the document says of the content.
    pub fn answers(&self) -> Vec<(&'d str, &'d str, &'d Value)> {
        let answers = object(&self.value["responses"]).iter();
        let contents = answers.flat_map(|(status, answer)| {
            let content = object(&self.document.resolve(answer)["content"]).iter();
            content.map(move |(kind, content)| (status.as_str(), kind.as_str(), content))
        });
        contents.collect()
    }

    /// The names of the schemas that an answer may have: those of problems are distinct types.
    pub fn alternatives(&self, content: &'d Value) -> Vec<&'d str> {
        let schema = &content["schema"];
        let one = std::slice::from_ref(schema);
        let many = schema["oneOf"].as_array().map_or(one, Vec::as_slice);
        let names = many.iter().map(|schema| match schema["$ref"].as_str() {
            Some(reference) => reference.rsplit('/').next().unwrap(),
            None => "",
        });
        names.collect()
    }
}

/// The members of an object.
pub(crate) fn object(value: &Value) -> &Map<String, Value> {
    value
        .as_object()
        .unwrap_or_else(|| panic!("expected an object, found {value}"))
}
