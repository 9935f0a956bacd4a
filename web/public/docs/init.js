// Starts the API docs on the page at /docs. A file of its own, so that the page needs no inline script.
SwaggerUIBundle({
  url: "/api/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  validatorUrl: null, // the default sends the document's address to a public service
});
