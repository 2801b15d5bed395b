//! Korean without a dictionary.
//!
//! Korean glues particles (josa) to nouns: 커피를, 커피는, 커피에서 are all "coffee". A word is indexed as it stands and with a
//! particle taken off, where the syllable before allows that particle. Compounds are written with or without a space
//! (커피머신, 커피 머신), so each run of Hangul is indexed as overlapping pairs of syllables as well.

/// Particles, by what the syllable before them must end with.
const AFTER_ANY: &[&str] = &[
    "에서는",
    "에서도",
    "까지는",
    "부터는",
    "에게서",
    "에서",
    "에게",
    "까지",
    "부터",
    "처럼",
    "보다",
    "마다",
    "조차",
    "마저",
    "하고",
    "한테",
    "께서",
    "의",
    "에",
    "도",
    "만",
];
const AFTER_CONSONANT: &[&str] = &[
    "으로는",
    "으로써",
    "으로서",
    "이라는",
    "으로",
    "이나",
    "이랑",
    "은",
    "이",
    "을",
    "과",
];
const AFTER_VOWEL: &[&str] = &["라는", "는", "가", "를", "와", "랑"];
/// These follow a vowel or ㄹ: 서울로.
const AFTER_VOWEL_OR_RIEUL: &[&str] = &["로는", "로써", "로서", "로"];

/// A syllable of modern Hangul.
pub(crate) const fn is_hangul(c: char) -> bool {
    matches!(c, '가'..='힣')
}

/// What a syllable ends with: 0 for a vowel, 8 for ㄹ, else another consonant.
const fn final_consonant(syllable: char) -> u32 {
    (syllable as u32 - '가' as u32) % 28
}

/// The word without its particle, if it can have one. At least two syllables stay: a one-syllable rest is more often a piece
/// of a noun (사과 is "apple", not 사 with 과).
pub(crate) fn without_particle(word: &str) -> Option<&str> {
    let fits = |particle: &&str, allowed: fn(u32) -> bool| {
        let stem = word.strip_suffix(*particle)?;
        let last = stem.chars().next_back()?;
        (stem.chars().count() >= 2 && is_hangul(last) && allowed(final_consonant(last))).then_some(stem)
    };
    let any = AFTER_ANY.iter().filter_map(|particle| fits(particle, |_| true));
    let consonant = AFTER_CONSONANT
        .iter()
        .filter_map(|particle| fits(particle, |end| end != 0));
    let vowel = AFTER_VOWEL.iter().filter_map(|particle| fits(particle, |end| end == 0));
    let rieul = AFTER_VOWEL_OR_RIEUL
        .iter()
        .filter_map(|particle| fits(particle, |end| matches!(end, 0 | 8)));
    any.chain(consonant)
        .chain(vowel)
        .chain(rieul)
        .min_by_key(|stem| stem.len())
}

#[cfg(test)]
mod tests {
    use super::without_particle;

    #[test]
    fn particles_are_taken_off() {
        let cases = [
            ("커피를", "커피"),
            ("커피는", "커피"),
            ("매장에서", "매장"),
            ("매장에서는", "매장"),
            ("서울로", "서울"),
            ("주전자와", "주전자"),
            ("텀블러의", "텀블러"),
            ("노트북으로", "노트북"),
        ];
        for (word, stem) in cases {
            assert_eq!(without_particle(word), Some(stem), "{word}");
        }
    }

    #[test]
    fn a_particle_that_cannot_stand_there_is_part_of_the_word() {
        // 은 follows a consonant, 는 and 가 a vowel; what would leave one syllable stays whole.
        for word in ["사과", "효과", "커피", "텀블러", "커피은", "노트북는", "차를", "컵"] {
            assert_eq!(without_particle(word), None, "{word}");
        }
    }
}
