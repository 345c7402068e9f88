// Pages of the console are routes of its own: each is index.html. Files have a suffix in their last segment; the pages
// of a project may look as if they had one (an event type), so they are pages whatever they look like.
function handler(event) {
  var request = event.request
  var uri = request.uri
  var last = uri.substring(uri.lastIndexOf('/') + 1)
  if (uri.indexOf('/p/') === 0 || last.indexOf('.') === -1) {
    request.uri = '/index.html'
  }
  return request
}
