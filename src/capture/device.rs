//! Which microphones there are, and which one is meant.

use std::ops::RangeInclusive;

use cpal::traits::{DeviceTrait as _, HostTrait as _};
use cpal::{Host, SupportedStreamConfig};

use super::CaptureError;
use super::pcm;

/// The most channels that a stream to a room may have.
pub(super) const MOST_CHANNELS: u16 = 8;

/// The rates in Hz that a stream to a room may have.
pub(super) const RATES: RangeInclusive<u32> = 8_000..=192_000;

/// The rate that is asked for where a device leaves the choice.
const USUAL_RATE: u32 = 48_000;

/// An input device.
pub struct Device {
    /// The sound system's own name of it, unique and the same tomorrow.
    pub name: String,
    /// What it says it is.
    pub description: String,
    /// Taken when no name is given.
    pub default: bool,
    pub(super) device: cpal::Device,
}

/// All input devices of this machine, the default one first.
///
/// # Errors
/// A sound system that does not answer.
pub fn devices() -> Result<Vec<Device>, CaptureError> {
    let host = host()?;
    let default = host.default_input_device();
    let others = host.input_devices().map_err(|error| CaptureError::NoHost(error.to_string()))?;
    let mut devices: Vec<Device> = default.into_iter().map(|device| described(device, true)).collect();
    for device in others.map(|device| described(device, false)) {
        if devices.iter().all(|known| known.name != device.name) {
            devices.push(device);
        }
    }
    Ok(devices)
}

/// The device with that name; else the only one with it in its name or description; without a name the default one.
///
/// # Errors
/// A name that fits none or several: the error lists them.
pub fn choose(name: Option<&str>) -> Result<Device, CaptureError> {
    let mut devices = devices()?;
    let labels: Vec<Label> =
        devices.iter().map(|device| Label { name: &device.name, description: &device.description }).collect();
    let at = match name {
        None => 0,
        Some(asked) => position(asked, &labels)?,
    };
    if at >= devices.len() {
        return Err(CaptureError::NoDevice);
    }
    Ok(devices.swap_remove(at))
}

struct Label<'a> {
    name: &'a str,
    description: &'a str,
}

fn position(asked: &str, devices: &[Label]) -> Result<usize, CaptureError> {
    if let Some(exact) = devices.iter().position(|device| device.name == asked) {
        return Ok(exact);
    }
    let wanted = asked.to_lowercase();
    let exact: Vec<usize> = fitting(devices, |text| text == wanted);
    let fitting = if exact.is_empty() { fitting(devices, |text| text.contains(&wanted)) } else { exact };
    let names = |kept: &[usize]| kept.iter().filter_map(|at| devices.get(*at)).map(|device| device.name.to_owned()).collect();
    match fitting.as_slice() {
        [one] => Ok(*one),
        [] => Err(CaptureError::Unknown {
            asked: asked.to_owned(),
            there: devices.iter().map(|device| device.name.to_owned()).collect(),
        }),
        several => Err(CaptureError::Ambiguous { asked: asked.to_owned(), fitting: names(several) }),
    }
}

fn fitting(devices: &[Label], fits: impl Fn(&str) -> bool) -> Vec<usize> {
    let device = |(at, label): (usize, &Label)| {
        (fits(&label.name.to_lowercase()) || fits(&label.description.to_lowercase())).then_some(at)
    };
    devices.iter().enumerate().filter_map(device).collect()
}

fn host() -> Result<Host, CaptureError> {
    // `cpal::default_host` panics where the sound system cannot be reached.
    let first = cpal::available_hosts().into_iter().next().ok_or(CaptureError::NoDevice)?;
    cpal::host_from_id(first).map_err(|error| CaptureError::NoHost(error.to_string()))
}

fn described(device: cpal::Device, default: bool) -> Device {
    let description = device.description().map(|description| description.name().to_owned()).unwrap_or_default();
    let name = device.id().map_or_else(|_| description.clone(), |id| id.id().to_owned());
    Device { name, description, default, device }
}

impl Device {
    /// The device's own format, or its best one that can be streamed.
    pub(super) fn format(&self) -> Result<SupportedStreamConfig, CaptureError> {
        let usable = |config: &SupportedStreamConfig| {
            (1..=MOST_CHANNELS).contains(&config.channels())
                && RATES.contains(&config.sample_rate())
                && pcm::is_known(config.sample_format())
        };
        let closed = |error: cpal::Error| CaptureError::Open { device: self.name.clone(), reason: error.to_string() };
        let own = self.device.default_input_config().map_err(closed)?;
        if usable(&own) {
            return Ok(own);
        }
        let mut offered: Vec<_> = self.device.supported_input_configs().map_err(closed)?.collect();
        offered.sort_by(|a, b| b.cmp_default_heuristics(a));
        let mut offered = offered.into_iter().filter_map(|range| {
            let rate = USUAL_RATE.clamp(range.min_sample_rate(), range.max_sample_rate());
            range.try_with_sample_rate(rate).filter(usable)
        });
        offered.next().ok_or_else(|| CaptureError::Format { device: self.name.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICES: [Label; 4] = [
        Label { name: "default", description: "Default Audio Device" },
        Label { name: "hw:CARD=0,DEV=0", description: "Jabra Speak 510" },
        Label { name: "plughw:CARD=0,DEV=0", description: "Jabra Speak 510" },
        Label { name: "hw:CARD=1,DEV=0", description: "HDA Intel, ALC257" },
    ];

    #[test]
    fn a_device_is_named_whole_or_by_what_no_other_has() {
        for (asked, at) in
            [("default", 0), ("hw:CARD=0,DEV=0", 1), ("intel", 3), ("ALC257", 3), ("default audio device", 0), ("plug", 2)]
        {
            assert_eq!(position(asked, &DEVICES).unwrap(), at, "{asked}");
        }
    }

    #[test]
    fn a_name_that_fits_none_or_several_lists_what_there_is() {
        let error = position("jabra", &DEVICES).unwrap_err().to_string();
        assert_eq!(error, "`jabra` may be any of several input devices: hw:CARD=0,DEV=0, plughw:CARD=0,DEV=0");
        let error = position("Røde", &DEVICES).unwrap_err().to_string();
        assert!(error.contains("`Røde`") && error.contains("hw:CARD=1,DEV=0") && error.contains("default"), "{error}");
        assert!(position("x", &[]).unwrap_err().to_string().ends_with("there is none"));
    }
}
