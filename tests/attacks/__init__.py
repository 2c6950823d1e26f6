"""What an attacker would try. Each case has a control that shows that the attack succeeds without its defence.

| case | tried | tests |
|---|---|---|
| 1 | guessing tokens, references, numbers | test_links: 2000 guesses, one address may not guess on (control inside) |
| 2 | bent tokens | test_link_cases: case_02 |
| 3, 4 | another tenant's or delivery's ids | test_links: in the API, in a form; test_link_cases: case_03_and_04 |
| 5 | dead links, open sockets | test_links; test_link_cases, test_live_cases: case_05; tests/tracking/test_socket |
| 6 | the van and other people's doors | test_live_cases: case_06; tests/tracking/test_dot, test_visibility |
| 7 | referrers, caches, logs | test_links: kept; test_link_cases: case_07; test_headers; tests/core/test_logs |
| 8 | forged forms, prefetchers | test_links: scanners, a form sent from elsewhere, and its control |
| 30 | pictures that are more, many, huge | test_link_cases: case_30; test_body_caps; tests/drivers/test_photos |
| 31 | their addresses, their age | test_link_cases: case_31; tests/feedback/test_old_photos |
| 37 | a socket opened from another site | test_live_cases: case_37; tests/tracking/test_process |
| 38 | foreign topics, large and many frames | test_live_cases: case_38; tests/tracking/test_socket |
| 39 | idle sockets, a reader that never reads | test_live_cases: case_39 |
| 40 | impossible, foreign, many positions | test_live_cases: case_40; tests/drivers/test_ingest, test_positions |
| 41 | a lost phone | test_live_cases: case_41; tests/drivers/test_ingest, test_trackers, test_devices |
"""
