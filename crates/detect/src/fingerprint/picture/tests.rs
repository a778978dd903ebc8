//! Pictures drawn by a seed, each in many forms: one stays itself, and two stay apart.

use domain::fingerprint::PICTURE_PERCENT_MAX;
use image::{DynamicImage, Rgb, RgbImage};

use super::*;
use crate::fingerprint::drawing::{FORMS, drawing, jpeg, noisy};
use crate::pixel_reader::grey;

fn print(picture: &RgbImage) -> Option<PictureFingerprint> {
    let grey = grey(&DynamicImage::ImageRgb8(picture.clone()));
    of(grey.width(), grey.as_raw())
}

/// Drawings that have a fingerprint, with it.
fn drawings(count: u64, from: u64) -> Vec<(u64, RgbImage, PictureFingerprint)> {
    const SIZES: [(u32, u32); 4] = [(320, 240), (600, 160), (128, 128), (200, 300)];
    let drawn = (from..from + count).map(|seed| {
        let (width, height) = SIZES[seed as usize % SIZES.len()];
        (seed, drawing(seed, width, height))
    });
    drawn.filter_map(|(seed, picture)| print(&picture).map(|print| (seed, picture, print))).collect()
}

#[test]
fn a_picture_stays_itself_in_every_form() {
    let drawings = drawings(24, 1);
    assert!(drawings.len() >= 22, "{} of 24 have a fingerprint", drawings.len());
    let (mut all, mut missed) = (0, Vec::new());
    for (seed, picture, original) in &drawings {
        for (form, changed) in FORMS {
            all += 1;
            let changed = print(&changed(picture, *seed));
            if !changed.is_some_and(|changed| changed.is_like(original)) {
                missed.push(format!("{seed} {form}: {:?}", changed.map(|changed| changed.percent(original))));
            }
        }
    }
    assert!(missed.is_empty(), "{} of {all}: {missed:#?}", missed.len());
}

#[test]
fn two_pictures_stay_apart() {
    let drawings = drawings(200, 1000);
    let mut nearest = u32::MAX;
    for (at, (_, _, one)) in drawings.iter().enumerate() {
        for (_, _, other) in drawings.iter().skip(at + 1) {
            nearest = nearest.min(one.percent(other));
        }
    }
    assert!(nearest > PICTURE_PERCENT_MAX, "{nearest} in {} drawings", drawings.len());
}

#[test]
fn what_shows_too_little_has_none() {
    let flat = RgbImage::from_pixel(600, 400, Rgb([30, 90, 200]));
    let line = RgbImage::from_fn(600, 40, |_, y| if (18..22).contains(&y) { Rgb([0; 3]) } else { Rgb([255; 3]) });
    let slope = RgbImage::from_fn(300, 300, |x, _| Rgb([(x * 255 / 300) as u8; 3]));
    let frame = RgbImage::from_fn(40, 40, |x, _| if x < 2 { Rgb([200; 3]) } else { Rgb([255; 3]) });
    for (name, picture) in [
        ("flat", flat.clone()),
        ("flat, noisy", noisy(&flat, 7, 3)),
        ("flat, JPEG", jpeg(&flat, 60)),
        ("a line", line),
        ("a slope", slope),
        ("a bar", frame),
        ("tiny", drawing(3, 31, 31)),
        ("a pixel", drawing(3, 2, 2)),
    ] {
        assert_eq!(print(&picture), None, "{name}");
    }
}

#[test]
fn whole_numbers_come_to_the_same_everywhere() {
    let picture = print(&drawing(5, 320, 240)).expect("shows enough");
    assert_eq!(picture.to_string(), "90150490824148000648004021444a0c402a592544848482091414a05290140383");
}

#[test]
fn the_shape_is_told_in_eighths_of_an_octave() {
    for (width, height, steps) in
        [(100, 100, 128), (200, 100, 136), (100, 200, 120), (109, 100, 128), (110, 100, 129), (8000, 32, 191)]
    {
        assert_eq!(shape(width, height), steps, "{width} by {height}");
    }
}

#[test]
fn each_pixel_counts_by_what_of_it_lies_in_a_cell() {
    for (width, height) in [(32, 32), (33, 47), (100, 64), (321, 35)] {
        let even = averaged(width, height, &vec![77; width * height]);
        assert!(even.iter().flatten().all(|cell| *cell == 77 * 16), "{width} by {height}");
        let slope: Vec<u8> = (0..width * height).map(|at| (at % width * 255 / width) as u8).collect();
        let cells = averaged(width, height, &slope);
        assert!(cells.iter().all(|line| line.is_sorted()), "{width} by {height}");
    }
}
