"""What an attacker would try. Each case has a control that shows that the attack succeeds without its defence.

| case | tried | tests |
|---|---|---|
| 1 | guessing tokens, references, numbers | test_links: 2000 guesses, one address may not guess on (control inside) |
| 2 | bent tokens | test_link_cases: case_02 and its control |
| 3, 4 | another tenant's or delivery's ids | test_links: opens nothing in the API, ids in a form; test_link_cases: case_03_and_04 |
| 5 | dead links, open sockets | test_links: revoked; test_live_cases: case_05; tests/tracking/test_socket, test_process |
| 6 | the van and other people's doors | test_live_cases: case_06; tests/tracking/test_dot, test_visibility |
| 7 | referrers, caches, logs | test_links: kept by nobody; test_link_cases: case_07; test_headers; tests/core/test_logs |
| 8 | forged forms, prefetchers | test_links: scanners, a form sent from elsewhere, and its control |
| 30, 31 | pictures that are more than pictures, their addresses | test_link_cases: case_30, case_31; tests/drivers/test_photos |
| 37 | a socket opened from another site | test_live_cases: case_37; tests/tracking/test_process |
| 38 | foreign topics, large and many frames | test_live_cases: case_38; tests/tracking/test_socket |
| 39 | idle sockets, a reader that never reads | test_live_cases: case_39 |
| 40 | positions that cannot be | test_live_cases: case_40; tests/drivers/test_ingest, test_positions, test_trackers |
| 41 | a lost phone | test_live_cases: case_41; tests/drivers/test_ingest, test_trackers, test_devices |
"""
