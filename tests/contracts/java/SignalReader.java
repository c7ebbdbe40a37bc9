import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.SchemaParser;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.message.BinaryMessageDecoder;
import org.apache.avro.message.SchemaStore;

/**
 * Reads records of the exchange as another vendor would: with nothing but Apache Avro and the schema files.
 *
 * <p>Argument: the folder schemas/. Input: one value per line, in hexadecimal. Output: one line of JSON per value, with bytes in
 * hexadecimal and times in milliseconds; what cannot be read gives the class of the error.
 */
public final class SignalReader {
    public static void main(String[] arguments) throws IOException {
        BinaryMessageDecoder<GenericRecord> decoder = decoder(Path.of(arguments[0]));
        ObjectMapper json = new ObjectMapper();
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            System.out.println(json.writeValueAsString(read(decoder, HexFormat.of().parseHex(line))));
        }
    }

    private static BinaryMessageDecoder<GenericRecord> decoder(Path folder) throws IOException {
        SchemaParser parser = new SchemaParser();
        for (Path file : schemaFiles(folder)) {
            parser.parse(file);
        }
        SchemaStore.Cache known = new SchemaStore.Cache();
        for (Schema schema : parser.getParsedNamedSchemas()) {
            known.addSchema(schema);
        }
        return new BinaryMessageDecoder<>(GenericData.get(), null, known);
    }

    /** The shared types first, then the records that use them. */
    private static List<Path> schemaFiles(Path folder) throws IOException {
        List<Path> files = new ArrayList<>();
        for (Path each : List.of(folder.resolve("types"), folder)) {
            try (var found = Files.newDirectoryStream(each, "*.avsc")) {
                found.forEach(files::add);
            }
        }
        return files;
    }

    private static Map<String, Object> read(BinaryMessageDecoder<GenericRecord> decoder, byte[] value) {
        Map<String, Object> answer = new LinkedHashMap<>();
        try {
            GenericRecord record = decoder.decode(value);
            answer.put("record", record.getSchema().getName());
            answer.put("fields", plain(record));
        } catch (IOException | RuntimeException error) {
            answer.put("error", error.getClass().getSimpleName());
        }
        return answer;
    }

    private static Object plain(Object value) {
        if (value instanceof GenericRecord record) {
            Map<String, Object> fields = new LinkedHashMap<>();
            record.getSchema().getFields().forEach(field -> fields.put(field.name(), plain(record.get(field.pos()))));
            return fields;
        }
        if (value instanceof List<?> list) {
            return list.stream().map(SignalReader::plain).toList();
        }
        if (value instanceof ByteBuffer bytes) {
            byte[] copy = new byte[bytes.remaining()];
            bytes.duplicate().get(copy);
            return HexFormat.of().formatHex(copy);
        }
        return value instanceof Number || value instanceof Boolean || value == null ? value : value.toString();
    }
}
