//! Which category a product belongs to. The sample has no category, only words: what kind of thing it says it is
//! (`attr_t_product_type`, `attr_t_type`) and its title. The first rule with a phrase that occurs decides, special
//! before general: a "notebook case" is no notebook.

use std::{
    collections::{BTreeMap, HashMap},
    sync::LazyLock,
};

use super::attributes::Scalar;

/// Where no rule says more.
const UNKNOWN: &str = "Electronics";

/// Phrases, `|` between alternatives, `+` between what must all occur; and the category.
#[rustfmt::skip]
const RULES: &[(&str, &str)] = &[
    ("care pack|warranty|support extension|next business day|onsite|on site", "Services/Warranty"),
    ("software|license|licence|antivirus", "Software"),
    ("notebook case|notebook backpack|backpack|sleeve|briefcase|laptop bag|messenger|camera case|hardshell case|pouch case|holster|mobile phone case|tablet case|equipment case|cd case|carrying case", "Bags and cases"),
    ("pixels+notebook|pixels+laptop|pixels+ddr|pixels+ddr2|pixels+ddr3|pixels+ddr4|pixels+ssd|pixels+hdd|pixels+windows", "Computers/Notebooks"),
    ("dual sim|smartphone|smartwatch", "Phones"),
    ("power cable|power cables|power cord|power extension", "Cables/Power"),
    ("kvm", "Networking/KVM"),
    ("patch panel|patch panels", "Networking/Patch panels"),
    ("patch cable|patch cables|patch cord|networking cable|network cable|ethernet cable", "Cables/Network"),
    ("fibre optic|fiber optic|fiber patch|fibre patch|multimode", "Cables/Fibre optic"),
    ("usb cable|usb cables|firewire cable|lightning cable", "Cables/USB"),
    ("audio cable|video cable|hdmi cable|vga cable|dvi cable|displayport cable|coaxial cable|monitor cable|speaker cable|optical cable", "Cables/Audio and video"),
    ("cable management|cable tie|cable ties|cable organizer|cable lock|cable tray", "Accessories/Cable management"),
    ("card reader|barcode|bar code", "Peripherals/Readers"),
    ("cable|cables|cord", "Cables"),
    ("cable adapter|cable interface|gender changer|converter|adapter inverter interface", "Cables/Adapters"),
    ("battery charger|charger|power adapter|power adapter inverter|ac adapter|adapter inverter", "Power/Chargers and adapters"),
    ("ups|uninterruptible power supply", "Power/UPS"),
    ("power distribution unit|pdu|surge protector|surge|power strip|outlet", "Power/Distribution"),
    ("power supply|power supply unit|psu", "Power/Power supplies"),
    ("battery|batteries|varta|duracell|akku", "Power/Batteries"),
    ("label making tape|label tape|printer label|label printer|labels|label|labelwriter|tags|brother tx|dymo", "Office/Labels"),
    ("keyboard", "Peripherals/Keyboards"),
    ("mouse pad|mouse mat|mousepad|wrist rest", "Accessories/Desk"),
    ("mouse|mice|trackball|joystick|gamepad|gaming controller|touchpad|pointer|presenter", "Peripherals/Mice and controllers"),
    ("projector lamp|projection lamp|lamp", "Projectors/Lamps"),
    ("projection screen|projector screen|projectors screen", "Projectors/Screens"),
    ("projector mount|projector", "Projectors"),
    ("privacy filter|privacy filters|privacy screen|screen protector|display filter", "Accessories/Screen filters"),
    ("fuser|transfer belt|transfer kit|transfer roller|printer drum|drum|imaging unit|imaging drum|photoconductor|developer|waste toner|maintenance kit|printer kit|roller kit|printer roller|cleaning pad|fuser cleaner", "Printing/Drums and kits"),
    ("toner cartridge|toner|tonercartridge|original black toner|imaging cartridge|type c", "Printing/Toner"),
    ("printing paper|photo paper|paper|plotter|transparency|transparencies|large format media|media|film", "Printing/Paper"),
    ("print head|printhead|print heads", "Printing/Ink and ribbons"),
    ("ink cartridge|ink cartridges|ink|singlepack|multipack|twinpack|inkjet cartridge|print cartridge|inktank|ribbon|printer ribbon|original black|original cyan|original magenta|original yellow|original photo|original light|original cyan|original matte|original green|original red|original+magenta|original+yellow|cyan+magenta", "Printing/Ink and ribbons"),
    ("paper tray|tray|feeder|duplex unit|duplexer|stapler|staple|staples|finisher|printer cabinet|inserter|output stacker|mailbox", "Printing/Parts"),
    ("scanner|scanjet", "Printers/Scanners"),
    ("multifunctional|all in one printer|mfp|officejet|fax", "Printers/Multifunction"),
    ("laserjet|laser printer|inkjet printer|designjet|printer|dot matrix|phaser|deskjet|large format printer|ppm|print server", "Printers"),
    ("processor lga|processor ghz|processor|cpu", "Components/Processors"),
    ("memory card|flash memory|sd card|microsd|compactflash|sdhc|memory stick|usb flash drive|flash drive", "Storage/Flash"),
    ("memory module|memory modules|networking equipment memory|printer memory|dimm|sdram|ddr|printer memory", "Components/Memory"),
    ("motherboard|server workstation board|desktop board|socket+atx", "Components/Motherboards"),
    ("graphics card|geforce|radeon|quadro", "Components/Graphics cards"),
    ("computer case|computer cooling|cpu cooler|hardware cooling|cooler|heatsink|fan|cooling", "Components/Cooling and cases"),
    ("sound card|interface cards|raid|raid controller|controller|pci|host adapter", "Components/Cards"),
    ("hard drive|hard disk|hdd|hard disk drive|internal hard drive|external hard drive|internal solid state drive|solid state drive|ssd", "Storage/Drives"),
    ("tape drive|tape array|backup storage|disk array|nas|storage server|tape auto|lto|data cartridge|blank data tape|cleaning media|tape", "Storage/Backup"),
    ("cd r|cd rw|dvd r|dvd rw|dvd|blu ray|bd r|blank cd|floppy|optical disc drive|optical disc", "Storage/Optical"),
    ("drive enclosure|hdd ssd enclosure|storage drive", "Storage/Enclosures"),
    ("docking station|port replicator|notebook dock|dock|usb hub|interface hub|hub", "Peripherals/Docks and hubs"),
    ("server", "Computers/Servers"),
    ("tablet|ipad|e book reader", "Computers/Tablets"),
    ("laptop|notebook|netbook|chromebook|ultrabook|thinkpad|macbook|elitebook|probook|hybrid 2 in 1", "Computers/Notebooks"),
    ("all in one pc|workstation|desktop pc|pc|mini pc|optiplex|thin client|barebone|thincentre|tower|mini tower|desktop", "Computers/Desktops"),
    ("headphones|headphone|headset|earphones|earbuds", "Audio/Headphones"),
    ("loudspeaker|speaker|speakers|soundbar|subwoofer|docking speaker", "Audio/Speakers"),
    ("mp3|mp4|player|mp3 mp4|gogear|cd player|portable cd", "Audio/Players"),
    ("radio|clock radio|audio set|home audio|micro system|hi fi|amplifier|receiver|boombox|music center|microphone|turntable|audio", "Audio/Systems"),
    ("television|tv|lcd tv|flat tv|home cinema|home theater|set top box|remote control|dvd player|vcr", "TV and video"),
    ("mount|wall mount|flat panel|stand|monitor arm|desk mount|bracket|holder", "Accessories/Mounts and stands"),
    ("monitor|lcd monitor|computer monitor|touch screen|pixels|full hd", "Monitors"),
    ("rack|cabinet|rack accessory|rackmount|enclosure|netshelter", "Networking/Racks"),
    ("switch|network switch|splitter|video splitter|matrix", "Networking/Switches"),
    ("router|wireless access point|access point|wlan|wi fi|gateway|antenna|modem|repeater|extender|bridge|powerline", "Networking/Wireless and routers"),
    ("transceiver|sfp|network card|network adapter|ethernet|gigabit|media converter|network|networking|rj45|rj 45", "Networking"),
    ("lens|camera lens|lens hood|lens cap|camera filter|filter|canon ef|lens", "Photo/Lenses"),
    ("camcorder|camera|cameras|webcam|digital frame|photo frame|tripod|flash|powershot|cybershot|monopod", "Photo/Cameras"),
    ("telephone|phone|dect|conference|answering|voip|handheld|bluetooth", "Phones"),
    ("adapter|adaptor|connector|coupler|terminator|plug|jack|keystone|faceplate|wall plate", "Cables/Adapters"),
    ("calculator", "Office/Calculators"),
    ("laminator|shredder|binder|binding|folder|pen|pencil|marker|stapler|hole punch|whiteboard|envelope|notebook a4|tape dispenser|eraser|board|clip|glue", "Office/Supplies"),
    ("coffee|espresso|kettle|toaster|blender|iron|vacuum|oven|refrigerator|freezer|washing|dishwasher|hob|cooker|hood|dryer|mixer|juicer|steam|grill|fryer|microwave", "Home/Appliances"),
    ("shaver|hair|toothbrush|epilator|trimmer|straightener|curling|nail|make up|scale|beauty", "Beauty and care"),
    ("doll|toy|toys|puzzle|game|lego|playset|play|plush|figure|barbie|l o l|sylvanian|paw patrol|wasgij|pieces|figures|jigsaw", "Toys"),
    ("bulb|light|flashlight|lighting|led", "Home/Lighting"),
    ("baby|bottle|bottles|pacifier|soother|breast|avent", "Baby"),
    ("lock|locking|security|anti theft", "Accessories/Locks"),
    ("cleaning|wipes|duster|cleaner", "Accessories/Cleaning"),
    ("kit|bracket|panel|cover|module|accessory|bag|case", "Accessories"),
];

/// The category of a product. What it calls itself counts before its title.
pub(super) fn of(title: &str, attributes: &BTreeMap<String, Scalar>) -> &'static str {
    let text = |name| match attributes.get(name) {
        Some(Scalar::Text(text)) => text.as_str(),
        _ => "",
    };
    let evidence = [text("attr_t_product_type"), title, text("attr_t_type")];
    evidence.into_iter().find_map(by_words).unwrap_or(UNKNOWN)
}

fn by_words(text: &str) -> Option<&'static str> {
    let text = normal(text);
    let words = text.split_ascii_whitespace();
    let candidates = words.filter_map(|word| BY_FIRST_WORD.get(word)).flatten();
    let matching = candidates.filter(|(_, phrases)| phrases.split('+').all(|phrase| contains(&text, phrase)));
    let (rule, _) = matching.min_by_key(|(rule, _)| *rule)?;
    RULES.get(*rule).map(|(_, category)| *category)
}

/// Every alternative of every rule by its first word, with the rule's place: a title has few words, the table many phrases.
static BY_FIRST_WORD: LazyLock<HashMap<&str, Vec<(usize, &str)>>> = LazyLock::new(|| {
    let mut index: HashMap<_, Vec<_>> = HashMap::new();
    for (rule, (alternatives, _)) in RULES.iter().enumerate() {
        for phrases in alternatives.split('|') {
            let first = phrases.split([' ', '+']).next().unwrap_or_default();
            index.entry(first).or_default().push((rule, phrases));
        }
    }
    index
});

/// Small letters and digits, one space around each word; "1 pc(s)" is a quantity, not a computer.
fn normal(text: &str) -> String {
    let text = text.to_lowercase().replace("pc(s)", " ").replace("pcs", " ");
    let mut normal = String::with_capacity(text.len() + 2);
    for word in text
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        normal.push(' ');
        normal.push_str(word);
    }
    normal.push(' ');
    normal
}

/// Whether the words occur as whole words.
fn contains(normal: &str, words: &str) -> bool {
    normal.match_indices(words).any(|(at, _)| {
        let before = normal.as_bytes().get(at.wrapping_sub(1));
        let after = normal.as_bytes().get(at + words.len());
        before == Some(&b' ') && after == Some(&b' ')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_decide_and_special_comes_before_general() {
        for (title, category) in [
            ("HP AT887AA notebook case 39.6 cm (15.6\") Black", "Bags and cases"),
            (
                "Lenovo Legion Y540 Notebook 1920 x 1080 pixels 16 GB DDR4-SDRAM",
                "Computers/Notebooks",
            ),
            ("Kingston memory module 2 GB DDR2 667 MHz", "Components/Memory"),
            ("HP 91 Original Light magenta 3 pc(s)", "Printing/Ink and ribbons"),
            (
                "Xerox 006R90321 toner cartridge Original Black 6 pc(s)",
                "Printing/Toner",
            ),
            ("커피 필터", UNKNOWN),
        ] {
            assert_eq!(of(title, &BTreeMap::new()), category, "{title}");
        }
    }

    #[test]
    fn what_a_product_calls_itself_counts_first() {
        let attributes = serde_json::from_str(r#"{"attr_t_product_type": "Headphones"}"#).unwrap();
        assert_eq!(of("Philips cable", &attributes), "Audio/Headphones");
    }
}
