//! Codes in pictures (ISO/IEC 18004), module by module: the product reads codes and makes none, so these were made once
//! and stand here. A test compares them with what an encoder makes.

use std::io::Cursor;

use image::{GrayImage, ImageFormat, Luma};

/// A code: what it says, and its modules, four to a hexadecimal digit, row by row.
#[derive(Clone, Copy)]
pub(super) struct Code {
    #[cfg_attr(not(test), expect(dead_code, reason = "what a code says is for readers and the test"))]
    text: &'static str,
    /// Modules of an edge.
    edge: u32,
    modules: &'static str,
}

/// Pixels of a module, and modules of white around the code (section 5.3.8).
const MODULE_PIXELS: u32 = 4;
const QUIET_MODULES: u32 = 4;

pub(super) const NETWORK: Code = Code {
    text: "WIFI:S:guests;T:WPA;P:welcome;;",
    edge: 29,
    modules: "fedf43fc130b506eb718bb742345dba51caec17f7d07faaaafe0078a00a365d92be28432c8a3a59192371e39ea\
        e35d70ff1bb68ea409a1828aaa1235926b2385007897a78e31679e7ce76dff005f146bfa266b1045811bba4d5f\
        9dd2e99a2ea48b270416f99fedd2ab8",
};
pub(super) const CARD: Code = Code {
    text: "MECARD:N:Partner,Anna;TEL:+49301234;;",
    edge: 29,
    modules: "fec98bfc179b506e8dd6bb75c005dba4442ec1016d07faaaafe017c400b70eda5d2c49b852b6e571fbcc82b4ea\
        0e8e88ae36237c8c5fe79bb37682d9c9f24ca4416aba7d5a6270a4942449f90073a467fa90eb905f3913ba6b9f\
        85d713312eb28083041a603fe888860",
};
pub(super) const PAYMENT: Code = Code {
    text: "BCD\n002\n1\nSCT\n\nShop\nDE02120300000000202051\nEUR12.5",
    edge: 29,
    modules: "fe4f8bfc14c2d06e8de8bb74d8e5dbaf982ec10aa907faaaafe0004b00aa1a2896a28fc3b1e0a3c2f1b6caa0a1\
        2fadf4f3fa2a9e8ba4ec86e2e97ff483cb0a3262ab9cc80ed2d69fbbf8f3fc8068ac6bf8c8ea704bb91bba8aaf\
        bdd0aa8b2eaa29a304a8b8afeaabcd8",
};
pub(super) const PHONE: Code = Code {
    text: "tel:+49301234",
    edge: 21,
    modules: "fe3bfc16d06e92bb7495dbacaec12507faafe00700aa3090401cced3de43082b2ca9806ad7f9d2f047a8ba96dd\
        d3a3aeaba30469afeea18",
};
pub(super) const TICKET: Code = Code {
    text: "4711-0815-ROW7-SEAT12",
    edge: 25,
    modules: "fecf3fc16e506e882bb75d65dba5aaec12ed07faaafe01b300b73da58813b5f8b7091d241c826ab9cbe3d3b55b\
        d2fb3067521aeaf98061c43fa1aa905ad1bba26fadd40cb6eb0b9504bd75fe912c8",
};
pub(super) const MENU: Code = Code {
    text: "https://www.partner.example/menu",
    edge: 29,
    modules: "febf3bfc1426506e962cbb7596b5dba6a92ec136dd07faaaafe0113c00b77572582bf8dc63e7326c7031171a36\
        b50626c94d9d1ed6ceea2f5632529324d289146bafb3e348706dc445f0e5fe0044747ffb68eb505fe519ba104f\
        b5d76c266ea98b4b046b12afe8a3850",
};
pub(super) const EVENT: Code = Code {
    text: "https://www.partner.example/e?ticket=20261127",
    edge: 29,
    modules: "feee3bfc1782506e918cbb7543b5dba6192ec12e1d07faaaafe0115c00b750f258cb84dc48d8b26c2193171cac\
        25061667cd9ca940cee935863253fa24d266986bacb26348680cc4443e7dfe005e747ffba0eb5052451bba01cf\
        a5d57e266eb88b4b043912afe899850",
};
pub(super) const INVOICE: Code = Code {
    text: "https://pay.partner.example/?to=shop@partner.example",
    edge: 33,
    modules: "fe76d93fc103e5506ea53b2bb7595055dbaa165aec179d6507faaaaafe01825f00be6fc23e72f01f9b6fac69a2\
        d81553e9faf40335c4a53cfb0f683081ccd8e118ecca3452d8ac6d39fbe1f87106c0977e97e8a7183cdf219beb\
        265f361a5552320a2c86874bfd00474ec5ff9c4b6a905671f1fba802afddd68cce5eea38aac90485589cfedc53\
        930",
};
pub(super) const COLLEAGUE: Code = Code {
    text: "https://www.partner.example/team/bert",
    edge: 29,
    modules: "febabbfc1582506e956cbb7553b5dba4f92ec1351d07faaaafe010dc00b766f259cb84dc5aa6926cd8df171c23\
        15066c1ecd9c0c88cee93c9632cf1924d3a96c6ba7f8634873b1c444785dfe0053747ffab2eb505c151bba6b4f\
        a5d55f266ea30b4b043b52afee63850",
};

impl Code {
    fn is_dark(&self, x: u32, y: u32) -> bool {
        let at = (y * self.edge + x) as usize;
        let digit = self.modules.as_bytes().get(at / 4).and_then(|digit| char::from(*digit).to_digit(16)).unwrap_or(0);
        digit >> (3 - at % 4) & 1 == 1
    }
}

/// The picture of a code.
pub(super) fn drawn(code: Code) -> Vec<u8> {
    let side = (code.edge + 2 * QUIET_MODULES) * MODULE_PIXELS;
    let picture = GrayImage::from_fn(side, side, |x, y| {
        let place = |pixel: u32| (pixel / MODULE_PIXELS).checked_sub(QUIET_MODULES).filter(|at| *at < code.edge);
        let is_dark = place(x).zip(place(y)).is_some_and(|(x, y)| code.is_dark(x, y));
        Luma([if is_dark { 0 } else { 255 }])
    });
    let mut out = Cursor::new(Vec::new());
    picture.write_to(&mut out, ImageFormat::Png).expect("a small picture can be written to memory");
    out.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_what_an_encoder_makes() {
        let mut wrong = Vec::new();
        for code in [NETWORK, CARD, PAYMENT, PHONE, TICKET, MENU, EVENT, INVOICE, COLLEAGUE] {
            let made = qrcode::QrCode::new(code.text).expect("a short text");
            let dark: Vec<u8> =
                made.to_colors().iter().map(|colour| u8::from(*colour == qrcode::Color::Dark)).collect();
            let digit = |four: &[u8]| {
                let value = (0..4).fold(0, |value, at| value << 1 | u32::from(four.get(at).copied().unwrap_or(0)));
                char::from_digit(value, 16)
            };
            let modules: String = dark.chunks(4).filter_map(digit).collect();
            if (made.width() as u32, modules.as_str()) != (code.edge, code.modules) {
                wrong.push(format!("{:?}: edge: {}, modules: \"{modules}\"", code.text, made.width()));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
