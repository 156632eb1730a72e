"""HTTP: routes, handlers, uploads, responses, schemas and the API's page."""
