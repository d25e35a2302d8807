use super::super::{OpenIdError, Provider, ProviderSettings, Settings};
use super::issuer::Issuer;

fn all(provider: Vec<ProviderSettings>) -> Result<Vec<Provider>, OpenIdError> {
    Provider::all(Settings { provider })
}

#[test]
fn a_file_names_providers_and_not_their_secrets() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("openid.toml");
    let write = |text: &str, mode| {
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let good =
        "[[provider]]\nissuer = \"https://login.example\"\nclient = \"c\"\nsecret_environment = \"PATH\"\nname = \"Hospital\"\n";
    write(good, 0o600);
    let providers = Provider::all(Settings::read(&path).unwrap()).unwrap();
    assert_eq!((providers[0].issuer(), providers[0].names()), ("https://login.example", ("Hospital", None)));
    write(good, 0o644);
    assert!(Settings::read(&path).is_err());
    write(&format!("{good}secret = \"12345\"\n"), 0o600);
    let error = Settings::read(&path).err().unwrap().to_string();
    assert!(error.ends_with("line 6: unknown field `secret`"), "{error}");
}

#[test]
fn settings_that_do_not_fit_are_named_and_show_no_secret() {
    let issuer = Issuer::start();
    let good = || issuer.settings();
    assert!(all(vec![good()]).is_ok());
    let some = |text: &str| Some(text.to_owned());
    for (settings, told) in [
        (ProviderSettings { issuer: "http://login.example".into(), ..good() }, "provider.issuer"),
        (ProviderSettings { issuer: "login.example".into(), ..good() }, "provider.issuer"),
        (ProviderSettings { issuer: "https://login.example/?a".into(), ..good() }, "provider.issuer"),
        (ProviderSettings { name: " ".into(), ..good() }, "provider.name"),
        (ProviderSettings { chinese_name: some("x\n"), ..good() }, "provider.chinese_name"),
        (ProviderSettings { client: String::new(), ..good() }, "provider.client"),
        (ProviderSettings { scopes: vec!["a b".into()], ..good() }, "provider.scopes"),
        (ProviderSettings { acr_values: vec![String::new()], ..good() }, "provider.acr_values"),
        (ProviderSettings { authority: Some("/dev/null".into()), ..good() }, "provider.authority"),
        (ProviderSettings { secret_file: None, ..good() }, "is needed"),
        (ProviderSettings { secret_environment: some("PATH"), ..good() }, "is needed"),
        (ProviderSettings { secret_file: None, secret_environment: some("NOT SET"), ..good() }, "no such variable"),
        (ProviderSettings { secret_file: None, secret_credential: some("../x"), ..good() }, "no path"),
        (ProviderSettings { secret_file: Some("/etc/passwd".into()), ..good() }, "can be read by others"),
    ] {
        let error = all(vec![settings]).err().unwrap().to_string();
        assert!(error.contains(told), "{told}: {error}");
    }
    let error = all(vec![good(), good()]).err().unwrap().to_string();
    assert!(error.contains("named twice"), "{error}");
}
