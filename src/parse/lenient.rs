//! Reads JSON values of any type as the type that is wanted. A value of another type counts as absent; it is never an
//! error.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::constructs;
use super::tree::MAX_FIELD_BYTES;

/// The most strings that are kept from one list of tags.
const MAX_TAGS: usize = 500;

/// A string. A number is read as a string. Any other value, and a blank string, is absent.
#[derive(Default, Hash)]
pub(super) struct Text(pub Option<String>);

/// The objects of a list. A single object counts as a list of one. At most `MAX` objects are kept.
pub(super) struct List<T, const MAX: usize> {
    pub kept: Vec<T>,
    /// How many values had the wrong type.
    pub wrong: usize,
    /// How many values were beyond the limit.
    pub beyond: usize,
}

/// An object that a document may write as a plain string. `of_text` returns `None` if that is not allowed.
pub(super) trait OfText: Sized {
    fn of_text(text: Text) -> Option<Self>;
}

/// The strings of a list. A single string is split at its commas.
#[derive(Default, Hash)]
pub(super) struct Tags(pub Vec<String>);

impl<T, const MAX: usize> Default for List<T, MAX> {
    fn default() -> Self {
        List { kept: Vec::new(), wrong: 0, beyond: 0 }
    }
}

impl<T: Hash, const MAX: usize> Hash for List<T, MAX> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kept.hash(state);
    }
}

/// An object that few documents have. An absent object adds nothing to a hash. So the hash of a document without the
/// object is the same as if newswire did not know the object.
pub(super) struct Rare<T>(pub Option<Box<T>>);

/// A boolean. Any other value is absent.
#[derive(Default, Hash)]
pub(super) struct Flag(pub Option<bool>);

impl<T> Default for Rare<T> {
    fn default() -> Self {
        Rare(None)
    }
}

impl<T: Hash> Hash for Rare<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        if let Some(object) = &self.0 {
            object.hash(state);
        }
    }
}

/// Defines a type for an object of which only the named members are read. If a member occurs twice, the last one
/// counts.
macro_rules! object {
    ($(#[$attribute:meta])* $visibility:vis struct $name:ident { $($(#[$_:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$attribute])*
        #[derive(Default)]
        $visibility struct $name {
            $($field: $type,)*
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                #[derive(serde::Deserialize)]
                #[serde(field_identifier)]
                #[expect(non_camel_case_types, reason = "they are the members' names")]
                enum Member {
                    $($field,)*
                    #[serde(other)]
                    Unknown,
                }

                struct MembersVisitor;

                impl<'de> serde::de::Visitor<'de> for MembersVisitor {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<$name, A::Error> {
                        let mut object = $name::default();
                        while let Some(member) = map.next_key()? {
                            match member {
                                $(Member::$field => object.$field = map.next_value()?,)*
                                Member::Unknown => drop(map.next_value::<serde::de::IgnoredAny>()?),
                            }
                        }
                        Ok(object)
                    }
                }

                deserializer.deserialize_map(MembersVisitor)
            }
        }
    };
}
pub(super) use object;

/// Defines the methods of a visitor for values of unwanted types. Such a value counts as absent, and is not an error.
macro_rules! read_over {
    ($value:ident: $($visit:ident($type:ty)),*) => {
        $(fn $visit<E>(self, _: $type) -> Result<Self::Value, E> {
            Ok($value::default())
        })*
    };
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                Ok(text_of(text))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Text, E> {
                Ok(Text(Some(number.to_string())))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Text, E> {
                Ok(Text(Some(number.to_string())))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Text, E> {
                Ok(Text(Some(number.to_string())))
            }

            read_over!(Text: visit_bool(bool));

            fn visit_unit<E>(self) -> Result<Text, E> {
                Ok(Text::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Text, A::Error> {
                while sequence.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Text::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Text::default())
            }
        }

        deserializer.deserialize_any(TextVisitor)
    }
}

/// Trims a text, cuts it at the limit, and removes the marks of a CDATA section around it, which were left over from
/// XML.
fn text_of(text: &str) -> Text {
    let inside = constructs::unwrapped(text.trim(), false);
    let trimmed = inside.as_deref().unwrap_or(text.trim());
    let cut = &trimmed[..trimmed.floor_char_boundary(MAX_FIELD_BYTES)];
    Text((!cut.is_empty()).then(|| cut.to_owned()))
}

fn object_of_text<T: OfText>(text: &str) -> Option<T> {
    Some(text_of(text)).filter(|text| text.0.is_some()).and_then(T::of_text)
}

/// An object. `None` stands for a value of another type.
struct Object<T>(Option<T>);

impl<T> Default for Object<T> {
    fn default() -> Self {
        Object(None)
    }
}

impl<'de, T: Deserialize<'de> + OfText> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de> + OfText> Visitor<'de> for ObjectVisitor<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object")
            }

            read_over!(Object: visit_bool(bool), visit_u64(u64), visit_i64(i64), visit_f64(f64));

            fn visit_str<E>(self, text: &str) -> Result<Object<T>, E> {
                Ok(Object(object_of_text(text)))
            }

            fn visit_unit<E>(self) -> Result<Object<T>, E> {
                Ok(Object(None))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Object<T>, A::Error> {
                while sequence.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Object(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(|value| Object(Some(value)))
            }
        }

        deserializer.deserialize_any(ObjectVisitor(PhantomData))
    }
}

impl<'de, T: Deserialize<'de> + OfText> Deserialize<'de> for Rare<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Object::deserialize(deserializer).map(|Object(object)| Rare(object.map(Box::new)))
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FlagVisitor;

        impl<'de> Visitor<'de> for FlagVisitor {
            type Value = Flag;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a boolean")
            }

            read_over!(Flag: visit_u64(u64), visit_i64(i64), visit_f64(f64), visit_str(&str));

            fn visit_bool<E>(self, value: bool) -> Result<Flag, E> {
                Ok(Flag(Some(value)))
            }

            fn visit_unit<E>(self) -> Result<Flag, E> {
                Ok(Flag(None))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Flag, A::Error> {
                while sequence.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Flag(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Flag, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Flag(None))
            }
        }

        deserializer.deserialize_any(FlagVisitor)
    }
}

impl<'de, T: Deserialize<'de> + OfText, const MAX: usize> Deserialize<'de> for List<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListVisitor<T, const MAX: usize>(PhantomData<T>);

        impl<'de, T: Deserialize<'de> + OfText, const MAX: usize> Visitor<'de> for ListVisitor<T, MAX> {
            type Value = List<T, MAX>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a list of objects")
            }

            read_over!(List: visit_bool(bool), visit_u64(u64), visit_i64(i64), visit_f64(f64));

            fn visit_str<E>(self, text: &str) -> Result<List<T, MAX>, E> {
                Ok(List { kept: object_of_text(text).into_iter().collect(), ..List::default() })
            }

            fn visit_unit<E>(self) -> Result<List<T, MAX>, E> {
                Ok(List::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<List<T, MAX>, A::Error> {
                let mut list = List::default();
                while list.kept.len() < MAX {
                    match sequence.next_element::<Object<T>>()? {
                        Some(Object(Some(object))) => list.kept.push(object),
                        Some(Object(None)) => list.wrong += 1,
                        None => return Ok(list),
                    }
                }
                while sequence.next_element::<IgnoredAny>()?.is_some() {
                    list.beyond += 1;
                }
                Ok(list)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<List<T, MAX>, A::Error> {
                let only = T::deserialize(MapAccessDeserializer::new(map))?;
                Ok(List { kept: vec![only], ..List::default() })
            }
        }

        deserializer.deserialize_any(ListVisitor(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TagsVisitor;

        impl<'de> Visitor<'de> for TagsVisitor {
            type Value = Tags;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a list of strings")
            }

            read_over!(Tags: visit_bool(bool), visit_u64(u64), visit_i64(i64), visit_f64(f64));

            fn visit_str<E>(self, text: &str) -> Result<Tags, E> {
                let text = text_of(text).0.unwrap_or_default();
                let tags = text.split(',').map(str::trim).filter(|tag| !tag.is_empty()).take(MAX_TAGS);
                Ok(Tags(tags.map(str::to_owned).collect()))
            }

            fn visit_unit<E>(self) -> Result<Tags, E> {
                Ok(Tags::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Tags, A::Error> {
                let mut tags = Vec::new();
                while let Some(Text(tag)) = sequence.next_element()? {
                    if tags.len() < MAX_TAGS {
                        tags.extend(tag);
                    }
                }
                Ok(Tags(tags))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tags, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Tags::default())
            }
        }

        deserializer.deserialize_any(TagsVisitor)
    }
}
