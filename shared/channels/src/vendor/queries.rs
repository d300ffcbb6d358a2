//! Names and values as they are written in queries, forms and paths.

/// Names and values as a query, or a form.
pub(crate) fn query(fields: &[(&str, &str)]) -> String {
    let field = |(name, value): &(&str, &str)| format!("{}={}", encode(name), encode(value));
    fields.iter().map(field).collect::<Vec<_>>().join("&")
}

/// A text as a part of a path, or of a query.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// A part of a query as the text that it is of.
pub(crate) fn decode(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part;
    while let Some((plain, after)) = rest.split_once('%') {
        bytes.extend(plain.bytes());
        let byte = after.get(..2).map(|digits| u8::from_str_radix(digits, 16));
        match byte {
            Some(Ok(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(b'%');
                rest = after;
            }
        }
    }
    bytes.extend(rest.bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What is before the first of these characters, and what is after it.
pub(crate) fn split(text: &str, at: char) -> (&str, &str) {
    text.split_once(at).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_encoded() {
        assert_eq!(encode("12!3/é?"), "12%213%2F%C3%A9%3F");
        assert_eq!(query(&[("a[b]", "1 2"), ("c", "")]), "a%5Bb%5D=1%202&c=");
        for text in ["12!3/é?", "", "100%", "a=b&c+d"] {
            assert_eq!(decode(&encode(text)), text);
        }
        assert_eq!(decode("5%,%zz%4"), "5%,%zz%4", "that is not encoded");
    }
}
