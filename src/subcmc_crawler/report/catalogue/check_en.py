"""Labels of the checks of a province's pull service in English: title, rule and remedy of each."""

from typing import Final

LABELS: Final = {
    "check.title.address-answers": "Every registered address answers",
    "check.rule.address-answers": "Each address of pullAddressList answers; no connection, a timeout or a "
    "drop fails.",
    "check.mend.address-answers": "Check service, network and firewall of the address, and let the "
    "ministry's address "
    "in; take addresses out of use off the registration.",
    "check.title.address-same-totals": "All addresses declare the same totals",
    "check.rule.address-same-totals": "Addresses are taken for replicas: the total of a dataset is the same "
    "on each; up "
    "to 1 % apart warns, more fails.",
    "check.mend.address-same-totals": "Confirm that the addresses are replicas and keep them in step; tell "
    "the ministry "
    "if each serves other data.",
    "check.title.tls-https": "HTTPS is used",
    "check.rule.tls-https": "1.2.1 wants HTTPS and 1.3.1 allows HTTP, so plain HTTP warns.",
    "check.mend.tls-https": "Switch HTTPS on and register the address as https.",
    "check.title.tls-handshake": "The TLS handshake succeeds",
    "check.rule.tls-handshake": "The port speaks TLS and the handshake ends well; no TLS, a dropped "
    "handshake, or a "
    "client certificate that is wanted and not registered fails.",
    "check.mend.tls-handshake": "Make sure that the port serves HTTPS; where a client certificate is wanted, "
    "exchange "
    "one with the ministry (cert_file).",
    "check.title.tls-trusted": "The server's certificate is trusted",
    "check.rule.tls-trusted": "It is signed by the registered ca_file or an authority of the system; else it "
    "fails; "
    "verify = false in the registry warns.",
    "check.mend.tls-trusted": "Use a certificate of a trusted authority, or give the authority's root to the "
    "ministry "
    "(ca_file); then verify again.",
    "check.title.tls-name": "The certificate is for the registered address",
    "check.rule.tls-name": "Its subject alternative names hold the registered host or IP; another name "
    "fails.",
    "check.mend.tls-name": "Issue a certificate with this address, or tell the ministry the name in it "
    "(server_hostname).",
    "check.title.tls-expiry": "The certificate is valid",
    "check.rule.tls-expiry": "30 days or more are left; fewer warn; expired or not yet valid fails.",
    "check.mend.tls-expiry": "Renew the certificate before it expires.",
    "check.title.tls-version": "TLS 1.2 or later",
    "check.rule.tls-version": "TLS 1.2 or 1.3 is agreed on; only older versions fail.",
    "check.mend.tls-version": "Switch TLS 1.2 or 1.3 on, and older versions off.",
    "check.title.auth-enforced": "The agreed credentials are checked",
    "check.rule.auth-enforced": "Where [province.auth] is registered, a request without it is refused; data "
    "fail.",
    "check.mend.auth-enforced": "Check the agreed credentials, and refuse requests without them.",
    "check.title.dataset-served": "All nine pull interfaces are there",
    "check.rule.dataset-served": "The path of each dataset that is switched on exists; HTTP 404, 405 or 501 "
    "fails.",
    "check.mend.dataset-served": "Deploy the interface under the URL of chapter 2; check spelling and base "
    "path.",
    "check.title.http-status": "A proper request is answered with HTTP 200",
    "check.rule.http-status": "Requests as the specification writes them get HTTP 200; any other status "
    "fails.",
    "check.mend.http-status": "Look into the log of the service; 408, 429, 503 and 509 say that it is busy: "
    "give it "
    "more room or a wider limit.",
    "check.title.http-redirect": "No redirects",
    "check.rule.http-redirect": "Only registered addresses are contacted and no redirect is followed; HTTP "
    "3xx fails.",
    "check.mend.http-redirect": "Let the registered address answer itself; where a login gateway redirects, "
    "exempt the "
    "interface.",
    "check.title.http-whole": "Answers come whole",
    "check.rule.http-whole": "Answers are valid HTTP and complete; a cut body or a dropped connection fails.",
    "check.mend.http-whole": "Check timeouts and buffers of gateways and proxies, and Content-Length.",
    "check.title.http-content-type": "Content-Type is JSON",
    "check.rule.http-content-type": "It is application/json without another charset; else it warns.",
    "check.mend.http-content-type": "Send Content-Type: application/json;charset=UTF-8.",
    "check.title.http-gzip": "gzip is supported",
    "check.rule.http-gzip": "Larger answers to Accept-Encoding: gzip come compressed; plain ones warn, an "
    "encoding that "
    "was not asked for fails.",
    "check.mend.http-gzip": "Switch gzip on for application/json, which saves bandwidth; use no other "
    "encoding.",
    "check.title.http-time": "Answers come in time",
    "check.rule.http-time": "Within 5 s each passes; up to 30 s warns; later, or never, fails.",
    "check.mend.http-time": "Improve the query (an index on what pages are sorted by, no large offsets), or "
    "agree on "
    "smaller pages.",
    "check.title.body-size": "A message stays within 10 MB",
    "check.rule.body-size": "A page of the registered size stays within 10 MB, unpacked; above 8 MB warns, "
    "above 10 MB "
    "fails.",
    "check.mend.body-size": "Shorten long fields (logos, for example), or agree on smaller pages.",
    "check.title.body-json": "The body is a JSON object",
    "check.rule.body-json": "The body is one JSON object; HTML, no body, bad syntax or deep nesting fails.",
    "check.mend.body-json": "Answer with the JSON of the specification; where a login or gateway page comes, "
    "let the "
    "interface through.",
    "check.title.body-utf8": "The encoding is UTF-8",
    "check.rule.body-utf8": "The body is valid UTF-8; any other encoding fails.",
    "check.mend.body-utf8": "Write everything in UTF-8.",
    "check.title.body-bom": "No byte order mark",
    "check.rule.body-bom": "The body begins with JSON; a byte order mark warns.",
    "check.mend.body-bom": "Leave the byte order mark (EF BB BF) out.",
    "check.title.envelope-code": "code is the number 0",
    "check.rule.envelope-code": "A proper request gets code 0; none or another one fails, a string warns.",
    "check.mend.envelope-code": 'Answer with "code": 0, a number, and mend what refused the request.',
    "check.title.envelope-keys": "The keys of the envelope are spelled right",
    "check.rule.envelope-keys": "code, message, total and data, exactly; blanks or a slip in message, as the "
    "samples "
    "print it, warn; all else fails.",
    "check.mend.envelope-keys": "Take blanks off the keys, mend their spelling, leave no key twice.",
    "check.title.envelope-message": "There is a message",
    "check.rule.envelope-message": "message is there and not empty; else it warns.",
    "check.mend.envelope-message": "Send message: ok, or why a request failed.",
    "check.title.envelope-data": "data is an array",
    "check.rule.envelope-data": "data is an array, empty where there is nothing; null or none with total 0 "
    "warns, all "
    "else fails.",
    "check.mend.envelope-data": "Send data as an array, [] where there is nothing.",
    "check.title.total-present": "There is a usable total",
    "check.rule.total-present": "Each page has a total that is not negative nor absurd; else it fails.",
    "check.mend.total-present": "Send the number of records of the dataset with each page: counts are "
    "verified by it.",
    "check.title.total-integer": "total is an integer",
    "check.rule.total-integer": "total is a JSON integer; a string or another type fails.",
    "check.mend.total-integer": "Send total as a number, without quotes.",
    "check.title.total-steady": "total is the same on every page",
    "check.rule.total-steady": "The total of a dataset is the same on each page, at each size, the second "
    "time; up to "
    "1 % or 5 rows apart (the data may move) warns, else it fails.",
    "check.mend.total-steady": "total is that of the dataset and not of the page; write nothing in the "
    "window, or page "
    "over one snapshot.",
    "check.title.total-rows": "The rows add up to total",
    "check.rule.total-rows": "Pages are full, the last one holds the rest, nothing comes after it; else it "
    "fails.",
    "check.mend.total-rows": "Count and select by the same conditions (deleted, disabled, double records).",
    "check.title.page-base": "Pages count from 1",
    "check.rule.page-base": "pageNum=1 is the first page; pageNum=0 is refused or empty; page 1 again warns, "
    "other rows "
    "(pages count from 0) fail.",
    "check.mend.page-base": "Make pageNum=1 the first page; where a framework counts from 0, take 1 off "
    "first.",
    "check.title.page-moves": "pageNum is honoured",
    "check.rule.page-moves": "Page 2 is another page than page 1; the same one fails.",
    "check.mend.page-moves": "Check the spelling of the parameter pageNum, and that it reaches the query.",
    "check.title.page-size-small": "pageSize is honoured (1, 2, 30)",
    "check.rule.page-size-small": "As many rows come as were asked for, where there are so many; more, "
    "fewer, or a "
    "refusal fails.",
    "check.mend.page-size-small": "Send pageSize rows, check the spelling of the parameter, have no least "
    "size.",
    "check.title.page-size-large": "pageSize is honoured (as registered, and 1000)",
    "check.rule.page-size-large": "As many rows come as were asked for; cut pages and refusals warn and the "
    "limit is "
    "told; more rows fail.",
    "check.mend.page-size-large": "The specification has no limit: allow 1000, or tell the ministry the "
    "limit, to be "
    "registered as page_size.",
    "check.title.page-seam": "A page begins where the last one ended",
    "check.rule.page-seam": "At every size, and where pages are cut, page n begins with the row after page "
    "n-1; a gap or "
    "a shift fails.",
    "check.mend.page-seam": "Compute offset and length from the same size: offset = (pageNum - 1) x the size "
    "in force.",
    "check.title.page-overlap": "Pages do not overlap",
    "check.rule.page-overlap": "No primary key of page 1 comes again at the seam to page 2; else it fails.",
    "check.mend.page-overlap": "Sort by a unique field, the primary key for example, and check the offset.",
    "check.title.page-stable": "The order is stable",
    "check.rule.page-stable": "The same page twice has the same keys in the same order; else it fails; where "
    "total moved, "
    "too, it warns.",
    "check.mend.page-stable": "Sort the query by a unique field (ORDER BY), or pages lose and repeat rows.",
    "check.title.page-last": "The last page can be had",
    "check.rule.page-last": "The last page by total is answered well; an error fails.",
    "check.mend.page-last": "Check what large offsets cost, and their limits.",
    "check.title.page-past-end": "A page past the end is empty",
    "check.rule.page-past-end": "The page after the last one is an empty array; an error, which the "
    "specification "
    "leaves open, warns; rows fail.",
    "check.mend.page-past-end": "Send empty data past the end, not the last or first page again (reasonable "
    "of "
    "PageHelper, for example).",
    "check.title.param-foreign-id": "Another centre's cmcId is not accepted",
    "check.rule.param-foreign-id": "A request with another cmcId is refused or empty; rows fail.",
    "check.mend.param-foreign-id": "Compare cmcId with your own, and refuse any other.",
    "check.title.param-no-id": "A request without cmcId is refused",
    "check.rule.param-no-id": "Without cmcId an error comes; rows fail, an empty page warns.",
    "check.mend.param-no-id": "Make cmcId a required parameter.",
    "check.title.param-no-page": "A request without paging is refused",
    "check.rule.param-no-page": "Without pageNum and pageSize an error comes; rows warn.",
    "check.mend.param-no-page": "Make pageNum and pageSize required, so that nobody gets everything at once.",
    "check.title.param-bad-number": "Bad numbers are refused",
    "check.rule.param-bad-number": "pageNum=abc, pageNum=-1 and pageSize=0 get an error; rows warn.",
    "check.mend.param-bad-number": "Accept positive integers alone; answer others with HTTP 400.",
    "check.title.path-unknown": "An unknown path is HTTP 404",
    "check.rule.path-unknown": "An unknown path gets HTTP 404; another error warns, success or a web page "
    "fails.",
    "check.mend.path-unknown": "Let the gateway answer unknown paths with 404, not with a start or login "
    "page.",
    "check.title.error-shape": "Errors say why",
    "check.rule.error-shape": "An error is JSON: a code that is not 0, or status, error and message as in "
    "1.3.3; HTML or "
    "text fails, no body or other JSON warns.",
    "check.mend.error-shape": "Answer errors in JSON, with a code and the reason.",
    "check.title.dataset-filled": "No dataset is empty",
    "check.rule.dataset-filled": "total is more than 0; 0 warns.",
    "check.mend.dataset-filled": "Confirm that there are no such data, or connect what is missing.",
    "check.title.key-present": "Every row has its primary key",
    "check.rule.key-present": "Each row that was seen has a usable key; none, an empty one or a wrong type "
    "fails.",
    "check.mend.key-present": "Fill in the keys: a row without one cannot be stored.",
    "check.title.key-unique": "Primary keys are unique",
    "check.rule.key-unique": "The keys of all rows that were seen differ; else it fails.",
    "check.mend.key-unique": "Remove double records, and check the joins of the query.",
    "check.title.row-required": "Required fields are there",
    "check.rule.row-required": "Required fields are there and not null (reportType and cmcId may be left "
    "out); else it "
    "fails.",
    "check.mend.row-required": "Fill in what is required; where there is no content, use the defaults of "
    "1.3.5.",
    "check.title.row-type": "Types are right",
    "check.rule.row-type": "Strings, integers and arrays are as the field tables want, integers in range; "
    "else it fails.",
    "check.mend.row-type": "Write values in the types of the tables: numbers without quotes, times in "
    "milliseconds.",
    "check.title.row-length": "Lengths are kept",
    "check.rule.row-length": "Characters of strings, items of arrays and their lengths stay within the "
    "tables; else it "
    "fails.",
    "check.mend.row-length": "Check and shorten what is too long.",
    "check.title.row-code": "Codes are of the code tables",
    "check.rule.row-code": "Codes are in the tables of chapter 3, area and platform fit; else it fails.",
    "check.mend.row-code": "Convert to the codes of chapter 3.",
    "check.title.row-defaults": "What has no content is written as agreed",
    "check.rule.row-defaults": 'No content is "", -1 or []; "null", "-1L" and the like warn.',
    "check.mend.row-defaults": "Use the defaults of 1.3.5.",
    "check.title.row-cmc-id": "cmcId of the rows is the province's",
    "check.rule.row-cmc-id": "cmcId in a row is the registered one, or left out; another one fails.",
    "check.mend.row-cmc-id": "Mend cmcId, and make sure that no other centre's data are among yours.",
    "check.title.row-report-type": "No row says that it is deleted",
    "check.rule.row-report-type": "A pull is all there is: reportType is A, U or left out; D or another one "
    "warns.",
    "check.mend.row-report-type": "Leave deleted records out.",
    "check.title.row-key-spelling": "Field names are spelled right",
    "check.rule.row-key-spelling": "No blanks around field names; blanks, as samples print them, warn; two "
    "equal names "
    "because of that fail.",
    "check.mend.row-key-spelling": "Take blanks off field names.",
    "check.title.row-unknown-fields": "No fields beyond the specification",
    "check.rule.row-unknown-fields": "All fields are in the tables; others warn, and are kept all the same.",
    "check.mend.row-unknown-fields": "Make sure that no name is misspelled; others need not be sent.",
    "check.title.row-collect-time": "collectTime is sensible",
    "check.rule.row-collect-time": "collectTime is in epoch milliseconds; else, or over a day ahead, it "
    "fails; the "
    "latest over 7 days old warns.",
    "check.mend.row-collect-time": "Write milliseconds, set the clock, and make sure that data are still "
    "collected.",
    "check.title.org-order": "Organisations come parents first",
    "check.rule.org-order": "In the first two pages a parent comes before its children; else it fails.",
    "check.mend.org-order": "Sort organisations by level, parents first.",
    "check.title.org-parent": "Parent organisations exist",
    "check.rule.org-parent": "parentOrgId is empty or an organisation (judged where all were seen); else it "
    "fails.",
    "check.mend.org-parent": "Add the parents that are missing; the top one has an empty parentOrgId.",
    "check.title.user-org": "The organisations of users exist",
    "check.rule.user-org": "orgId of the users seen is an organisation (judged where all were seen); else it "
    "fails.",
    "check.mend.user-org": "Add the organisations, or mend orgId of the users.",
    "check.title.hardware-org": "The organisations of network facilities exist",
    "check.rule.hardware-org": "orgId of the facilities seen is an organisation (judged where all were "
    "seen); else it "
    "fails.",
    "check.mend.hardware-org": "Add the organisations, or mend orgId of the facilities.",
    "check.title.service-app": "The apps of app services exist",
    "check.rule.service-app": "appId of the services seen is an app (judged where all were seen); else it "
    "fails.",
    "check.mend.service-app": "Add the apps, or mend appId of the services.",
    "check.title.service-hosts": "The hosts of app services exist",
    "check.rule.service-hosts": "hosts are the assetId of network facilities (judged where all were seen); "
    "else it "
    "warns.",
    "check.mend.service-hosts": "Name hosts by assetId, and add the facilities that are missing.",
}
"""Key -> text; both languages have the same keys with the same placeholders."""
