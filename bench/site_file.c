/* SPDX-License-Identifier: MIT */
#include "site_file.h"

#include <stdio.h>

static const char head[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<configuration>\n"
    "    <configSections>\n"
    "        <sectionGroup name=\"system.applicationHost\">\n"
    "            <section name=\"applicationPools\" allowDefinition=\"AppHostOnly\""
    " overrideModeDefault=\"Deny\" />\n"
    "            <section name=\"sites\" allowDefinition=\"AppHostOnly\""
    " overrideModeDefault=\"Deny\" />\n"
    "        </sectionGroup>\n"
    "    </configSections>\n"
    "    <system.applicationHost>\n"
    "        <applicationPools>\n";

static const char between[] = "        </applicationPools>\n        <sites>\n";

static const char tail[] =
    "            <siteDefaults>\n"
    "                <logFile logFormat=\"W3C\""
    " directory=\"%SystemDrive%\\inetpub\\logs\\LogFiles\" />\n"
    "                <traceFailedRequestsLogging"
    " directory=\"%SystemDrive%\\inetpub\\logs\\FailedReqLogFiles\" />\n"
    "            </siteDefaults>\n"
    "            <applicationDefaults applicationPool=\"DefaultAppPool\" />\n"
    "            <virtualDirectoryDefaults allowSubDirConfig=\"true\" />\n"
    "        </sites>\n"
    "    </system.applicationHost>\n"
    "</configuration>\n";

static void write_pool(FILE *file, size_t number)
{
    (void)fprintf(file,
                  "            <add name=\"shop-%05zu.example\" autoStart=\"true\""
                  " managedRuntimeVersion=\"v4.0\">\n"
                  "                <processModel identityType=\"ApplicationPoolIdentity\" />\n"
                  "            </add>\n",
                  number);
}

static void write_site(FILE *file, size_t number, unsigned http, unsigned https)
{
    (void)fprintf(
        file,
        "            <site name=\"shop-%05zu.example\" id=\"%zu\">\n"
        "                <application path=\"/\" applicationPool=\"shop-%05zu.example\">\n"
        "                    <virtualDirectory path=\"/\""
        " physicalPath=\"D:\\Octopus\\Applications\\Production\\shop-%05zu\\2.14.7\" />\n"
        "                </application>\n"
        "                <bindings>\n"
        "                    <binding protocol=\"http\""
        " bindingInformation=\"*:%u:shop-%05zu.example\" />\n"
        "                    <binding protocol=\"https\""
        " bindingInformation=\"*:%u:shop-%05zu.example\" sslFlags=\"1\" />\n"
        "                </bindings>\n"
        "                <logFile directory=\"D:\\Logs\\shop-%05zu\" />\n"
        "            </site>\n",
        number, number, number, number, http, number, https, number, number);
}

void bench_write_sites(const char *path, size_t sites, uint16_t extra_port)
{
    FILE *file = fopen(path, "w");

    if (file == NULL) {
        bench_fail("%s cannot be written", path);
        return;
    }
    (void)fputs(head, file);
    for (size_t i = 1; i <= sites; i++) {
        write_pool(file, i);
    }
    (void)fputs(between, file);
    for (size_t i = 1; i <= sites; i++) {
        bool shared = i % 10 == 0;
        unsigned port = 1024 + (unsigned)(2 * i) % 40000;
        write_site(file, i, shared ? 80 : port, shared ? 443 : port + 1);
    }
    if (extra_port != 0) {
        write_site(file, sites + 1, extra_port, 443);
    }
    (void)fputs(tail, file);
    if (ferror(file) != 0 || fclose(file) != 0) {
        bench_fail("%s cannot be written", path);
    }
}
