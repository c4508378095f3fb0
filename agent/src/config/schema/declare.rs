//! The macros that declare settings. They are exported at the root of the
//! crate, as macros are.

/// Declares tables of settings: `/// doc`, `Name { /// doc  key: Type = default; }`.
/// A key that is a Rust keyword is written `field @ "key": Type`; a type that
/// is read with more rules than its own, `field: Type as Rules`, where `Rules`
/// is a `Setting` that becomes a `Type`.
#[macro_export]
macro_rules! settings {
    ($(
        $(#[doc = $about:literal])+
        $name:ident {
            $( $(#[doc = $doc:literal])+
               $field:ident $(@ $key:literal)? : $type:ty $(as $rules:ty)? $(= $default:tt)? ; )*
        }
    )+) => { $(
        $(#[doc = $about])+
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $( $(#[doc = $doc])+ pub $field: $type, )*
        }

        impl $name {
            /// The keys of this table, in the order of the reference page.
            pub fn fields() -> Vec<$crate::config::schema::Field> {
                vec![ $( $crate::config::schema::Field {
                    key: $crate::settings!(@key $field $($key)?),
                    doc: concat!($($doc, "\n"),+),
                    shape: <$crate::settings!(@rules $type $(as $rules)?)
                        as $crate::config::schema::Setting>::shape(),
                    default: $crate::settings!(@default $($default)?),
                }, )* ]
            }

            /// Reads the table; every problem in it is noted.
            pub fn read_table(
                node: &$crate::config::node::Node,
                path: &$crate::config::path::KeyPath,
                reader: &mut $crate::config::schema::Reader,
            ) -> Option<Self> {
                // All fields are read before the first `?`, so that no problem
                // hides another.
                $( let $field: Option<$type> = $crate::config::schema::read_field::<
                    $crate::settings!(@rules $type $(as $rules)?),
                >(
                    node,
                    path,
                    $crate::settings!(@key $field $($key)?),
                    $crate::settings!(@default $($default)?),
                    reader,
                ).map(Into::into); )*
                Some(Self { $( $field: $field?, )* })
            }
        }

        impl $crate::config::schema::Setting for $name {
            fn shape() -> $crate::config::schema::Shape {
                $crate::config::schema::Shape::Table(Self::fields())
            }

            fn read(
                node: &$crate::config::node::Node,
                path: &$crate::config::path::KeyPath,
                reader: &mut $crate::config::schema::Reader,
            ) -> Option<Self> {
                let entries = reader.table(node, path, "a table")?;
                let known = [ $( $crate::settings!(@key $field $($key)?), )* ];
                reader.unknown_keys(entries, path, &known);
                Self::read_table(node, path, reader)
            }

            fn absent(
                table: &$crate::config::node::Node,
                path: &$crate::config::path::KeyPath,
                reader: &mut $crate::config::schema::Reader,
            ) -> Option<Self> {
                let empty = serde_json::Value::Object(Default::default());
                let node = $crate::config::node::Node::from_value(&empty, table.origin());
                Self::read_table(&node, path, reader)
            }
        }
    )+ };
    (@key $field:ident) => { stringify!($field) };
    (@key $field:ident $key:literal) => { $key };
    (@rules $type:ty) => { $type };
    (@rules $type:ty as $rules:ty) => { $rules };
    (@default) => { None };
    (@default $default:tt) => { Some(serde_json::json!($default)) };
}

/// Declares a word of settings: `Name { "word" => Variant, … }` with docs.
#[macro_export]
macro_rules! choices {
    ($(
        $(#[doc = $about:literal])+
        $name:ident { $( $(#[doc = $doc:literal])+ $word:literal => $variant:ident, )+ }
    )+) => { $(
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $( $(#[doc = $doc])+ $variant, )+ }

        impl $name {
            /// The words, in the order of the reference page.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word of this choice.
            pub fn word(self) -> &'static str {
                match self { $( $name::$variant => $word, )+ }
            }
        }

        impl $crate::config::schema::Setting for $name {
            fn shape() -> $crate::config::schema::Shape {
                $crate::config::schema::Shape::Choice(Self::WORDS)
            }

            fn read(
                node: &$crate::config::node::Node,
                path: &$crate::config::path::KeyPath,
                reader: &mut $crate::config::schema::Reader,
            ) -> Option<Self> {
                $crate::config::schema::read_choice(node, path, reader, |word| match word {
                    $( $word => Some($name::$variant), )+
                    _ => None,
                }, Self::WORDS)
            }
        }
    )+ };
}
