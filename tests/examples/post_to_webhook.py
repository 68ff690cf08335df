#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs config/examples/post-to-webhook against a real HTTP listener on loopback: what arrives, and what becomes of a
server that refuses. Its sister for PowerShell is tests/octopus/host/WebhookTests.cs.

  post_to_webhook.py SCRIPT
"""
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

SCRIPT = os.path.abspath(sys.argv.pop(1))
TEXT = 'Conflict 1f on port 80: Site "D\u00e9j\u00e0" & <!channel> \\ $(id) `id` binds http *:80: more than once.'


class Server(http.server.HTTPServer):
    """Takes down each request, and answers with one status after the other; the last one stays."""

    def __init__(self, *statuses):
        super().__init__(('127.0.0.1', 0), Handler)
        self.statuses = list(statuses)
        self.requests = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self):
        return f'http://127.0.0.1:{self.server_address[1]}/hook?key=a%20b'


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        self.server.requests.append((self.path, self.headers['Content-Type'], body))
        statuses = self.server.statuses
        self.send_response(statuses.pop(0) if len(statuses) > 1 else statuses[0])
        self.send_header('Content-Length', '0')
        self.end_headers()

    def log_message(self, format, *args):
        pass


class PostToWebhook(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.file = os.path.join(self.folder.name, 'webhook')

    def serve(self, *statuses):
        server = Server(*statuses)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.write(server.address + '\n')
        return server

    def write(self, text):
        with open(self.file, 'w', encoding='utf-8') as file:
            file.write(text)

    def post(self, *arguments, severity='error'):
        """Gives the exit status and what was printed."""
        environment = dict(os.environ, BERTH_WEBHOOK_FILE=self.file, BERTH_EVENT_TEXT=TEXT, BERTH_EVENT_SEVERITY=severity,
                           LC_ALL='C.UTF-8', no_proxy='*')
        done = subprocess.run([SCRIPT, *arguments], env=environment, input=b'{"the":"event"}\n', timeout=100,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout.decode()

    def test_slack__text_arrives_and_steers_nothing(self):
        server = self.serve(200)
        self.assertEqual(self.post('slack'), (0, ''))
        [(path, content_type, body)] = server.requests
        self.assertEqual(path, '/hook?key=a%20b')
        self.assertEqual(content_type, 'application/json; charset=utf-8')
        escaped = TEXT.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')
        self.assertEqual(json.loads(body), {'text': f'[error] {os.uname().nodename}: {escaped}'})

    def test_no_form__is_slack_and_the_severity_is_a_sign(self):
        for severity, sign in (('warning', '[warning] '), ('information', '[ok] ')):
            server = self.serve(200)
            self.assertEqual(self.post(severity=severity), (0, ''))
            self.assertTrue(json.loads(server.requests[0][2])['text'].startswith(sign))

    def test_teams__is_a_card_of_plain_text(self):
        server = self.serve(202)
        self.assertEqual(self.post('teams'), (0, ''))
        message = json.loads(server.requests[0][2])
        self.assertEqual(message, {'type': 'message', 'attachments': [{
            'contentType': 'application/vnd.microsoft.card.adaptive',
            'content': {'$schema': 'http://adaptivecards.io/schemas/adaptive-card.json', 'type': 'AdaptiveCard',
                        'version': '1.4', 'body': [{'type': 'RichTextBlock', 'inlines': [
                            {'type': 'TextRun', 'text': f'[error] {os.uname().nodename}: {TEXT}'}]}]}}]})

    def test_500__is_tried_again_and_then_told(self):
        server = self.serve(500)
        status, printed = self.post('slack')
        self.assertEqual(status, 22)
        self.assertIn('The requested URL returned error: 500', printed)
        self.assertEqual(len(server.requests), 3)

    def test_503_once__arrives_at_the_second_attempt(self):
        server = self.serve(503, 200)
        self.assertEqual(self.post('slack')[0], 0)
        self.assertEqual(server.requests[0], server.requests[1])

    def test_404__is_told_at_once(self):
        server = self.serve(404)
        status, printed = self.post('teams')
        self.assertEqual(status, 22)
        self.assertIn('error: 404', printed)
        self.assertEqual(len(server.requests), 1)

    def test_nobody_listens__is_told(self):
        with socket.socket() as closed:
            closed.bind(('127.0.0.1', 0))
            self.write(f'http://127.0.0.1:{closed.getsockname()[1]}/\n')
            status, printed = self.post('slack')
        self.assertEqual(status, 7)
        self.assertIn('Failed to connect', printed)

    def test_used_wrongly__says_how(self):
        self.serve(200)
        self.assertEqual(self.post('mail'), (2, "post-to-webhook: 'mail' is no form of message; slack or teams is accepted\n"))
        self.write('')
        self.assertEqual(self.post('slack'), (2, f"post-to-webhook: {self.file} is empty; it holds the webhook's address\n"))
        os.unlink(self.file)
        self.assertEqual(self.post('slack'), (2, f"post-to-webhook: {self.file} cannot be read; it holds the webhook's address\n"))

    def test_address_without_a_line_end__is_taken(self):
        server = self.serve(200)
        self.write(server.address)
        self.assertEqual(self.post('slack'), (0, ''))


if __name__ == '__main__':
    for program in ('bash', 'curl', 'jq'):
        if shutil.which(program) is None:
            print(f'{program} is not here: the webhook for bash is not tested')
            sys.exit(77)
    unittest.main()
