//! The numbers by which products are ranked: one formula, whichever engine works it out.

/// Nobody means more words than this; the rest is left out.
pub(crate) const MOST_WORDS: usize = 24;
/// Fewer products than this with all the words, and those with some of them are shown as well.
pub(crate) const FEW: usize = 20;
/// How much of its score a product keeps that cannot be bought now.
pub(crate) const SOLD_OUT: f32 = 0.75;

// What a term says, against a word.

/// An exact code says more than any word.
pub(crate) const CODE: f32 = 2.0;
/// What means the same does not say quite the same.
pub(crate) const SYNONYM: f32 = 0.8;
/// Two words in one, or one in two.
pub(crate) const COMPOUND: f32 = 0.4;
/// A pair of syllables.
pub(crate) const PAIR: f32 = 0.4;
/// Neighbours as they were typed: little, but it decides between products that have the same words.
pub(crate) const NEIGHBOURS: f32 = 0.02;
/// The last word typed says what is looked for: so does what the product is. It decides between equals too.
pub(crate) const KIND: f32 = 0.007;
