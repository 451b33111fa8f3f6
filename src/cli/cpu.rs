//! What the processor is called and whether it has instructions for AES-GCM.

/// The name of the processor, as Linux shows it.
pub(crate) fn model() -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a file of the kernel at a place of its own"
    )]
    let info = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = info.lines().find(|line| line.starts_with("model name"))?;
    let (_, model) = line.split_once(':')?;
    Some(model.trim().to_owned())
}

/// Whether there are instructions for AES and for the multiplication that GCM needs.
pub(crate) fn has_aes_gcm() -> bool {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    let has = is_x86_feature_detected!("aes") && is_x86_feature_detected!("pclmulqdq");
    #[cfg(target_arch = "aarch64")]
    let has = std::arch::is_aarch64_feature_detected!("aes")
        && std::arch::is_aarch64_feature_detected!("pmull");
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64")))]
    let has = false;
    has
}
