//! Requests, batches, answers and errors in the shape of `InvokeCommand`.

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use service::Service;
use service::access::Operator;
use service::error::ServiceError;

use super::parameters::Parameters;
use super::{lists, quarantine, trace};

/// Requests of one batch.
const BATCH_MAX: usize = 20;
/// Objects of one answer, unless `Prefer: odata.maxpagesize` asks for fewer.
pub const OBJECTS_MAX: usize = 1000;

/// The verbs that there are.
pub const VERBS: [&str; 13] = [
    "Get-QuarantineMessage",
    "Get-QuarantineMessageHeader",
    "Preview-QuarantineMessage",
    "Export-QuarantineMessage",
    "Release-QuarantineMessage",
    "Delete-QuarantineMessage",
    "Get-QuarantinePolicy",
    "Get-TenantAllowBlockListItems",
    "New-TenantAllowBlockListItems",
    "Remove-TenantAllowBlockListItems",
    "Get-MessageTraceV2",
    "Get-MessageTraceDetailV2",
    "Get-AcceptedDomain",
];

/// What a request says.
#[derive(Debug, Deserialize)]
pub struct Request {
    #[serde(rename = "CmdletInput")]
    input: Input,
}

#[derive(Debug, Deserialize)]
struct Input {
    #[serde(rename = "CmdletName")]
    name: String,
    #[serde(rename = "Parameters", default)]
    parameters: Map<String, Value>,
}

/// What is chosen of the answer, and where to go on.
#[derive(Debug, Default, Deserialize)]
pub struct Options {
    /// Properties, with commas between them.
    #[serde(rename = "$select")]
    select: Option<String>,
    /// Where the answer before ended.
    #[serde(rename = "$skiptoken")]
    token: Option<String>,
}

/// Who calls, and how much of an answer they want at once.
#[derive(Debug)]
pub struct Call {
    /// The console.
    pub service: Service,
    /// Who shows the token.
    pub operator: Operator,
    /// What is given.
    pub given: Parameters,
    /// Objects at most.
    pub most: usize,
    /// Where the answer before ended.
    pub token: Option<String>,
}

/// What a verb answers.
#[derive(Debug, Default)]
pub struct Answer {
    /// Objects, each with its properties.
    pub objects: Vec<Value>,
    /// What a person should know.
    pub warnings: Vec<String>,
    /// Where to go on.
    pub token: Option<String>,
}

/// Why a verb was not done, in the parts that clients show.
#[derive(Debug)]
pub struct Trouble {
    status: StatusCode,
    kind: &'static str,
    /// What, where and what to do.
    pub text: String,
    retry_after: Option<u64>,
}

impl Trouble {
    /// A request that makes no sense.
    pub fn new(kind: &'static str, text: String) -> Self {
        Self { status: StatusCode::BAD_REQUEST, kind, text, retry_after: None }
    }

    /// A parameter that makes no sense.
    pub fn argument(text: String) -> Self {
        Self::new("ArgumentException", text)
    }

    fn body(&self) -> Value {
        json!({ "error": {
            "code": self.status.canonical_reason().unwrap_or("Error").replace(' ', ""),
            "message": "Error executing cmdlet",
            "details": [{ "code": "Context", "target": "", "message": format!("{}|Reprieve|{}", self.kind,
                self.text) }],
            "innererror": { "message": self.text, "type": self.kind, "internalexception": { "message": self.text,
                "type": self.kind } },
        } })
    }
}

impl From<ServiceError> for Trouble {
    fn from(error: ServiceError) -> Self {
        let retry_after = if let ServiceError::TooMany(seconds) = &error { Some(*seconds) } else { None };
        let (kind, text) = match &error {
            ServiceError::Bad(text) => ("ArgumentException", text.clone()),
            ServiceError::Query(error) => ("ArgumentException", error.what.clone()),
            ServiceError::Unauthorized(text) => ("UnauthorizedAccessException", text.clone()),
            ServiceError::Forbidden(text) => ("RBACException", text.clone()),
            ServiceError::NotFound(text) => ("ManagementObjectNotFoundException", text.clone()),
            ServiceError::Conflict(text) => ("InvalidOperationException", text.clone()),
            ServiceError::TooMany(seconds) => {
                ("MicroDelayException", format!("Too many requests. Please wait {seconds} s and try again."))
            }
            ServiceError::Unavailable(text) => ("TransientException", text.clone()),
            ServiceError::Internal(_) => {
                ("InternalException", "something failed here; the log of the program says what".to_owned())
            }
        };
        error.log();
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, kind, text, retry_after }
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body())).into_response();
        let headers = response.headers_mut();
        if let Ok(kind) = self.kind.parse() {
            headers.insert(HeaderName::from_static("x-exceptiontype"), kind);
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(HeaderName::from_static("retry-after"), seconds.into());
        }
        response
    }
}

/// `POST /adminapi/beta/{tenant}/InvokeCommand`.
///
/// # Errors
/// In that shape.
pub async fn one(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(tenant): Path<String>,
    uri: Uri,
    Query(options): Query<Options>,
    headers: HeaderMap,
    request: Result<Json<Request>, JsonRejection>,
) -> Result<Json<Value>, Trouble> {
    check(&service, &tenant)?;
    let Json(request) = request.map_err(|error| Trouble::argument(error.body_text()))?;
    let most = preferred(&headers).unwrap_or(OBJECTS_MAX).clamp(1, OBJECTS_MAX);
    run(service, operator, request, options, most, uri.path()).await.map(Json)
}

async fn run(
    service: Service,
    operator: Operator,
    request: Request,
    options: Options,
    most: usize,
    path: &str,
) -> Result<Value, Trouble> {
    let Input { name, parameters } = request.input;
    let verb = VERBS.into_iter().find(|verb| verb.eq_ignore_ascii_case(&name)).ok_or_else(|| {
        let text =
            format!("The term '{name}' is not recognized as the name of a cmdlet; there are {}", VERBS.join(", "));
        Trouble::new("CommandNotFoundException", text)
    })?;
    let call = Call { service, operator, given: Parameters::new(parameters), most, token: options.token };
    let Answer { mut objects, warnings, token } = match verb {
        "Get-QuarantineMessage" => quarantine::get(call).await?,
        "Get-QuarantineMessageHeader" => quarantine::header(call).await?,
        "Preview-QuarantineMessage" => quarantine::preview(call).await?,
        "Export-QuarantineMessage" => quarantine::export(call).await?,
        "Release-QuarantineMessage" => quarantine::release(call).await?,
        "Delete-QuarantineMessage" => quarantine::delete(call).await?,
        "Get-QuarantinePolicy" => quarantine::policies(call)?,
        "Get-TenantAllowBlockListItems" => lists::get(call).await?,
        "New-TenantAllowBlockListItems" => lists::new(call).await?,
        "Remove-TenantAllowBlockListItems" => lists::remove(call).await?,
        "Get-MessageTraceV2" => trace::get(call).await?,
        "Get-MessageTraceDetailV2" => trace::detail(call).await?,
        _ => trace::domains(call)?,
    };
    if let Some(select) = &options.select {
        let wanted: Vec<&str> = select.split(',').map(str::trim).collect();
        for object in objects.iter_mut().filter_map(Value::as_object_mut) {
            object.retain(|name, _| wanted.iter().any(|one| one.eq_ignore_ascii_case(name)));
        }
    }
    let mut answer =
        json!({ "@odata.context": format!("{path}/$metadata#Collection(Reprieve.{verb})"), "value": objects });
    if !warnings.is_empty() {
        answer["@adminapi.warnings"] = json!(warnings);
    }
    if let Some(token) = token {
        let select = options.select.map(|select| format!("$select={select}&")).unwrap_or_default();
        answer["@odata.nextLink"] = json!(format!("{path}?{select}$skiptoken={}", platform::percent::encoded(&token)));
    }
    Ok(answer)
}

/// A tenant is one of our domains, or this installation.
fn check(service: &Service, tenant: &str) -> Result<(), Trouble> {
    let config = &service.config;
    if config.border.accepts(&domain::DomainName::of(tenant)) || tenant.eq_ignore_ascii_case(&config.hostname) {
        return Ok(());
    }
    let text = format!("'{tenant}' is none of the accepted domains of {}", config.hostname);
    Err(Trouble { status: StatusCode::NOT_FOUND, ..Trouble::new("TenantNotFoundException", text) })
}

/// `Prefer: odata.maxpagesize=N`.
fn preferred(headers: &HeaderMap) -> Option<usize> {
    let words = headers
        .get_all("prefer")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split([',', ';']));
    words.filter_map(|word| word.trim().strip_prefix("odata.maxpagesize=")?.parse().ok()).next()
}

/// Several requests at once.
#[derive(Debug, Deserialize)]
pub struct Batch {
    requests: Vec<Batched>,
}

#[derive(Debug, Deserialize)]
struct Batched {
    id: String,
    url: String,
    body: Value,
}

/// `POST /adminapi/beta/{tenant}/$batch`: each is done, whatever became of the one before.
///
/// # Errors
/// In that shape.
pub async fn batch(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(tenant): Path<String>,
    batch: Result<Json<Batch>, JsonRejection>,
) -> Result<Json<Value>, Trouble> {
    check(&service, &tenant)?;
    let Json(batch) = batch.map_err(|error| Trouble::argument(error.body_text()))?;
    if batch.requests.len() > BATCH_MAX {
        return Err(Trouble::argument(format!("{} requests in a batch; {BATCH_MAX} at most", batch.requests.len())));
    }
    let mut responses = Vec::new();
    for Batched { id, url, body } in batch.requests {
        let path = url.split('?').next().unwrap_or_default();
        let is_command = path.trim_end_matches('/').ends_with("InvokeCommand");
        let done = match serde_json::from_value::<Request>(body) {
            Ok(request) if is_command => {
                run(service.clone(), operator.clone(), request, Options::default(), OBJECTS_MAX, path).await
            }
            Ok(_) => Err(Trouble::argument(format!("'{url}' is not InvokeCommand"))),
            Err(error) => Err(Trouble::argument(error.to_string())),
        };
        let (status, body) = match done {
            Ok(body) => (StatusCode::OK, body),
            Err(trouble) => (trouble.status, trouble.body()),
        };
        responses.push(json!({ "id": id, "status": status.as_u16(), "body": body }));
    }
    Ok(Json(json!({ "responses": responses })))
}

/// `GET /adminapi/v1.0/{tenant}/EXOModuleFile`: the verbs that there are; `EXOBanner('...')`: what a client may show.
///
/// # Errors
/// When there is no such tenant, or nothing of that name.
pub async fn about(
    State(service): State<Service>,
    Path((tenant, what)): Path<(String, String)>,
) -> Result<Json<Value>, Trouble> {
    check(&service, &tenant)?;
    let (version, host) = (env!("CARGO_PKG_VERSION"), &service.config.hostname);
    match what.split('(').next().unwrap_or_default() {
        "EXOModuleFile" => Ok(Json(json!({ "value": [{ "version": version, "exportedCmdlets": VERBS }] }))),
        "EXOBanner" => Ok(Json(
            json!({ "value": [format!("Reprieve {version} on {host}: quarantine, trace, lists and policies.")] }),
        )),
        _ => Err(ServiceError::NotFound(format!("there is no '{what}' here")).into()),
    }
}
