//! Texts that some shops have written as HTML: the characters that they mean.

/// Longest name between `&` and `;`.
const MAX_NAME: usize = 8;

/// The named characters that shops write; the others are left as they are.
const NAMED: [(&str, &str); 14] = [
    ("amp", "&"),
    ("lt", "<"),
    ("gt", ">"),
    ("quot", "\""),
    ("apos", "'"),
    ("nbsp", "\u{a0}"),
    ("ndash", "–"),
    ("mdash", "—"),
    ("hellip", "…"),
    ("lsquo", "‘"),
    ("rsquo", "’"),
    ("ldquo", "“"),
    ("rdquo", "”"),
    ("times", "×"),
];

/// The text with its character references replaced by the characters, once.
pub(crate) fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let reference = after
            .split_once(';')
            .filter(|(name, _)| name.len() <= MAX_NAME);
        match reference.and_then(|(name, after)| Some((character(name)?, after))) {
            Some((character, after)) => {
                plain.push_str(&character);
                rest = after;
            }
            None => {
                plain.push('&');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

fn character(name: &str) -> Option<String> {
    let Some(number) = name.strip_prefix('#') else {
        let named = NAMED.iter().find(|(known, _)| *known == name);
        return named.map(|(_, character)| (*character).to_owned());
    };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => number.parse(),
    };
    let character = char::from_u32(code.ok()?)?;
    (!character.is_control()).then(|| character.to_string())
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn references_become_characters_once() {
        let cases = [
            ("O&#8217;Conner &amp; Sons", "O’Conner & Sons"),
            ("Idea &ndash; Black &#x41;", "Idea – Black A"),
            ("&amp;lt;", "&lt;"),
            (
                "a & b; &unknown; &#0; &#x110000; &",
                "a & b; &unknown; &#0; &#x110000; &",
            ),
            ("&é;", "&é;"),
        ];
        for (written, meant) in cases {
            assert_eq!(unescape(written), meant);
        }
    }
}
