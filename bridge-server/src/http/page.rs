//! The page: files of the built `www`, or an explanation how to build it.

use std::path::PathBuf;

use axum::Router;
use axum::http::{StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use tower_http::services::ServeDir;

/// Adds the page to the routes. Files may lie beside their `.br` and `.gz` forms, which are
/// preferred where the browser takes them; `/` gives `index.html`. `root` is what `/` does besides.
pub(super) fn serve(router: Router, www: Option<PathBuf>, root: MethodRouter) -> Router {
    match www {
        Some(folder) => {
            let files = ServeDir::new(folder)
                .precompressed_br()
                .precompressed_gzip()
                .fallback(get(missing));
            router
                .route("/", root.get_service(files.clone()))
                .fallback_service(files)
        }
        None => router
            .route("/", root.get(|| async { Html(UNBUILT) }))
            .fallback(missing),
    }
}

async fn missing(uri: Uri) -> Response {
    let path: String = uri.path().chars().take(200).collect();
    let text = format!("There is nothing at {path}. The page is at /.\n");
    (StatusCode::NOT_FOUND, text).into_response()
}

/// Shown at `/` without `--www`.
const UNBUILT: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<title>Nanonet bridge</title>
<h1>The bridge is running, the page is not built</h1>
<p>This bridge was started without <code>--www</code>, so it has no page to show.
Browsers can still link to it at <code>/v1/link</code>.</p>
<p>To see the page, run <code>npm start</code> in the project's folder: it builds everything and
starts a bridge with <code>--www www/dist</code>.</p>
<p><a href=\"/v1/info\">About this bridge</a> · <a href=\"/metrics\">Metrics</a></p>
</html>
";
